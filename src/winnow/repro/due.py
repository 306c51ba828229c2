"""What a run would do to every stage, found without a run: which stages would run, which come from the run cache, and
which are up to date. Like books, this module calls DVC's internals; it writes nothing."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo
from dvc.stage.cache import StageCache, _get_cache_hash
from dvc.stage.serialize import to_single_stage_lockfile
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.meta import Meta

from winnow.repro import books
from winnow.repro.books import Plan, Stage


@dataclass(frozen=True)
class Due:
    """The stages of a plan, in its order: those that would run, that would come from the run cache, and that are up to
    date. A stage that always runs, to see what has changed, is in none of them. params, code: by name, the values that
    each stage declares, and the list of its code."""

    run: list[Stage] = field(default_factory=list)
    cached: list[Stage] = field(default_factory=list)
    same: list[Stage] = field(default_factory=list)
    params: dict[str, dict[str, Any]] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)


def due(repo: Repo, plan: Plan, code: Mapping[str, str]) -> Due:
    """What ``repro`` would do now. code: what the stage check would write, text by path.

    A stage whose input will be made anew is taken to run: that its input comes out the same is known only afterwards.
    So there may be more in ``run`` than will run, and none that will run is missing.
    """
    found = Due()
    made: dict[str, str | None] = {}  # outputs that a run would replace, and their hashes, where these are known
    with books.translated():
        for stage in plan.steps:
            if not books.has_command(stage):
                continue
            if stage.always_changed:
                made |= {out.fs_path: None for out in stage.outs} if not code else {}
                continue
            inputs = {dep: _expected(repo, dep, made, code) for dep in stage.deps}
            found.params[stage.addressing] = _params_of(inputs)
            lists = [path for dep in stage.deps if (path := _path(repo, dep)) in code and path.endswith(".txt")]
            found.code[stage.addressing] = "".join(code[path] for path in lists)
            if not _changed(stage, inputs):
                found.same.append(stage)
                continue
            restored = None if None in inputs.values() else _from_cache(stage, inputs)
            (found.cached if restored else found.run).append(stage)
            made |= restored or {out.fs_path: None for out in stage.outs}
    return found


def _changed(stage: Stage, inputs: Mapping[Any, Any]) -> bool:
    return bool(
        stage.changed_stage()
        or any(value is None or value != dep.hash_info.value for dep, value in inputs.items())
        or any(out.workspace_status() for out in stage.outs)
    )


def _expected(repo: Repo, dep: Any, made: Mapping[str, str | None], code: Mapping[str, str]) -> Any:
    """The hash that an input will have, or the values of parameters; None if it is not known, or if it is missing."""
    if isinstance(dep, ParamsDependency):
        return _params(dep)
    path = _path(repo, dep)
    if path in code:
        return hashlib.md5(code[path].encode(), usedforsecurity=False).hexdigest()
    if dep.fs_path in made:
        return made[dep.fs_path]
    for out in made:
        if Path(out).is_relative_to(dep.fs_path) or Path(dep.fs_path).is_relative_to(out):
            return None
    if not dep.exists:
        return None
    return dep.hash_info.value if not dep.status() else dep.get_hash().value


def _path(repo: Repo, item: Any) -> str:
    return os.path.relpath(item.fs_path, repo.root_dir)


def _params(dep: ParamsDependency) -> Any:
    values = dep.read_params()
    return None if set(dep.params) - set(values) else values


def _params_of(inputs: Mapping[Any, Any]) -> dict[str, Any]:
    """The parameters among a stage's inputs, by their keys."""
    values = (value for dep, value in inputs.items() if isinstance(dep, ParamsDependency) and value)
    return {key: value for one in values for key, value in one.items()}


def _from_cache(stage: Stage, inputs: Mapping[Any, Any]) -> dict[str, str | None] | None:
    """The hashes of the outputs that the run cache has for these inputs, by path; None if it has none, or if they are
    no longer in the cache."""
    if not (stage.deps and stage.outs) or any(out.persist or not out.use_cache for out in stage.outs):
        return None
    for dep, value in inputs.items():
        dep.hash_info = HashInfo("params" if isinstance(dep, ParamsDependency) else "md5", value)
        dep.meta = Meta(isexec=bool(dep.meta and dep.meta.isexec))  # it has the old hash too
    for out in stage.outs:
        out.meta = out.meta or Meta()
    cache: StageCache = stage.repo.stage_cache
    key = _get_cache_hash(to_single_stage_lockfile(stage), key=True)
    folder = Path(cache._get_cache_dir(key))
    entries = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else []
    entry = StageCache._load_cache(cache, key, entries[0].name) if entries else None
    if not entry:
        return None
    restored = StageCache._create_stage(cache, entry, wdir=stage.wdir)
    if not restored.outs_cached():
        return None
    return {out.fs_path: out.hash_info.value for out in restored.outs}
