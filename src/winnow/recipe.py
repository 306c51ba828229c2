"""Write a recipe out as params.yaml, for winnow recipe and winnow init.

A recipe, a file of winnow/recipes or of the project's own folder recipes, says how it differs from the default
experiment (params/default.yaml). Sections merge key by key. A map whose items the user names (networks, trainings,
cohorts, sources, sets, methods, rewinds, levels, runs) replaces the default's map. Each of its items says how it
differs: a network or a training from the default's of that name, or else from its first, a level from its parent, a
perturbed run from its level. The default's sweep and sources are made for its epochs, seeds and networks: a recipe that
names none has none. Where it does not say so, target has the first cohort, and the training of retrain. With the key
extends, it says how it differs from the recipe of that name instead.
"""

import difflib
import subprocess
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict
from io import StringIO
from itertools import takewhile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.representer import RoundTripRepresenter

from winnow.errors import UserError
from winnow.experiment import Params
from winnow.params.base import as_yaml, read_yaml, validate
from winnow.params.dense import NAME as DENSE
from winnow.params.named import Named, load_named
from winnow.params.presets import Choices
from winnow.params.pruning import NO_PARENT
from winnow.storage import atomic_file

RECIPES = (Path(__file__).parent / "recipes", Path("recipes"))  # ours, and the project's own
PARAMS = Path("params.yaml")
DEFAULT = Path(__file__).parent / "params" / "default.yaml"  # not params.yaml, which users change
# maps of user-named items
OF_THE_USER = ("networks", "trainings", "cohorts", "sources", "sets", "methods", "rewinds", "levels", "runs")
NOT_INHERITED: dict[str, dict[str, type]] = {
    "sweep": {"methods": CommentedSeq, "keep": CommentedSeq},
    "transfer": {"sources": CommentedMap},
}
EXTENDS = "extends"  # the key that names the recipe from which this one differs
OF_CHOICE = {"variant", *asdict(Choices())}  # keys of a level that say what it does
OF_DENSE = {"rewind": DENSE, "data": "full"}  # what a level inherits from dense


def listed() -> str:
    """All recipes, each with its header."""
    return "".join(f"{name}\n{_header(_text(name))}".replace("\n# ", "\n  ") for name in recipes()).rstrip("\n")


def recipes() -> dict[str, Path]:
    """The file of every recipe, by its name; default first. The project's own recipe hides ours of the same name."""
    found = {path.stem: path for folder in RECIPES for path in folder.glob("*.yaml")}
    return {DEFAULT.stem: DEFAULT} | dict(sorted(found.items()))


def write(name: str, force: bool = False) -> str:
    """Write a recipe out as params.yaml, and return how params.yaml changes, as a unified diff.

    Raises UserError, and writes nothing, if the recipe does not exist or breaks the schema, or if params.yaml is
    neither a recipe nor as in the last commit; ``force`` overwrites such a file too.
    """
    text = expanded(name)
    before = PARAMS.read_text(encoding="utf-8") if PARAMS.exists() else ""
    if before == text:
        return f"{PARAMS} is the recipe {name} already"
    kept = not before or before == _committed() or before in map(expanded, recipes())
    if not (kept or force):
        raise UserError(f"{PARAMS} has changes that are in no commit: commit them, or overwrite them with --force")
    with atomic_file(PARAMS) as file:
        file.write_text(text, encoding="utf-8")
    lines = difflib.unified_diff(before.splitlines(), text.splitlines(), "before", str(PARAMS), lineterm="")
    return "\n".join([*lines, "", f"{PARAMS} is the recipe {name} now"])


def expanded(recipe: str, own: Mapping[str, Any] | None = None) -> str:
    """The text of the whole params.yaml for a recipe, with the default's comments and the recipe's header.

    own: values, section by section, in place of the recipe's.

    Raises UserError that names the file and the key if the recipe does not exist, is not YAML or breaks the schema.
    """
    path, text, default = _path(recipe), _text(recipe), DEFAULT.read_text(encoding="utf-8")
    changes, values = _changes(recipe), _yaml().load(default)
    usual = {key: values[key] for key in Named.model_fields}
    _merge(values, changes)
    _merge(values, own or {})
    for section, empty in NOT_INHERITED.items():
        for key, nothing in empty.items() if section not in changes else ():
            values[section][key] = nothing()
    for key, items in usual.items():
        for item, given in _map(changes, key).items():
            base = CommentedMap({item: deepcopy(items.get(item, next(iter(items.values()))))})
            _merge(base, {item: given})
            values[key][item] = base[item]
    target = CommentedMap(
        cohort=next(iter(_map(values, "early", "cohorts")), None), training=values["retrain"]["training"]
    )
    _merge(values["target"], target | _map(changes, "target") | _map(own, "target"))
    sets = _map(values, "target", "sets")
    for name, given in sets.items():  # dvc.yaml reads path
        sets[name] = _in_one_line({"source": None, "path": None, "first": None, "first_test": None} | _map(given))
    levels = _map(values, "pruning", "levels")
    _complete_levels(levels, str(path))
    runs = _map(values, "perturbation", "runs")
    for name, given in runs.items():
        run = _map(given)
        level = _map(levels, run.get("level")) or OF_DENSE
        runs[name] = _in_one_line({"level": None} | {key: level[key] for key in OF_DENSE} | run)
    file = StringIO()
    _yaml().dump(values, file)
    written = file.getvalue()
    found = YAML(typ="safe").load(written)
    validate(Params, found, path, named=load_named(found, path))
    return _header(text) + written.removeprefix(_header(default))


def _changes(recipe: str, extending: tuple[str, ...] = ()) -> CommentedMap:
    """What a recipe changes: all that the recipe does which it extends, and then its own.

    extending: the recipes on the way here, each of which extends the next. Raises UserError that names the file if a
    recipe is not YAML, or extends one that does not exist or extends it in turn.
    """
    path = _path(recipe)
    read_yaml(path)  # raises UserError if it is not YAML
    own: CommentedMap = _yaml().load(_text(recipe))
    if EXTENDS not in own:
        return own
    base = own.pop(EXTENDS)
    if base in (*extending, recipe):
        raise UserError(f"{path}: {EXTENDS}: {base} extends this recipe in turn")
    if not isinstance(base, str) or base not in recipes():
        raise UserError(f"{path}: {EXTENDS}: must be the name of a recipe, not {as_yaml(base)}")
    changes = _changes(base, (*extending, recipe))
    _merge(changes, own)
    return changes


def _merge(base: CommentedMap, changes: Mapping[str, Any]) -> None:
    """Merge changes into the default, whose comments stay with their keys."""
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict) and key not in OF_THE_USER:
            _merge(base[key], value)
        else:  # a copy, because a map carries the comments that follow it in its file
            base[key] = CommentedMap(value) if isinstance(value, dict) else value


def _complete_levels(levels: CommentedMap, path: str) -> None:
    """Write into every level the keys that it inherits from its parent: all, or only OF_DENSE's if it has own choices.

    So every level has all the keys that dvc.yaml reads, and a recipe need not repeat them.
    """
    known: dict[str, Any] = {DENSE: OF_DENSE, NO_PARENT: OF_DENSE}
    for name, level in levels.items():
        parent = _map(level).get("parent")
        if parent not in known:
            there = ", ".join(known)
            problem = f"must be one of {there}, not {as_yaml(parent)}"
            raise UserError(f"{path}: pruning.levels.{name}.parent: {problem}")
        own = OF_CHOICE & level.keys()
        inherited = {key: value for key, value in known[parent].items() if key in OF_DENSE or not own}
        known[name] = levels[name] = _in_one_line({"parent": parent} | inherited | level | {"parent": parent})


def _in_one_line(values: Mapping[str, Any]) -> CommentedMap:
    line = CommentedMap(values)
    line.fa.set_flow_style()
    return line


def _map(values: Any, *keys: Any) -> Any:
    """The map below these keys, or an empty map: if something else stands there, the schema reports it."""
    for key in keys:
        values = values.get(key) if isinstance(values, dict) else None
    return values if isinstance(values, dict) else {}


def _path(name: str) -> Path:
    found = recipes()
    if name not in found:
        close = difflib.get_close_matches(name, found, cutoff=0.4)
        raise UserError(f"{name}: no such recipe; there are {', '.join(close or found)}")
    return found[name]


def _text(name: str) -> str:
    return _path(name).read_text(encoding="utf-8")


def summary(recipe: str) -> str:
    """The header of a recipe, in one line. Raises UserError if the recipe does not exist."""
    return " ".join(line.removeprefix("#").strip() for line in _header(_text(recipe)).splitlines())


def _header(text: str) -> str:
    """The comment at the start of a file."""
    return "".join(takewhile(lambda line: line.startswith("#"), text.splitlines(keepends=True)))


def _committed() -> str | None:
    """params.yaml in the last commit, or None if it is not there."""
    try:
        done = subprocess.run(["git", "show", f"HEAD:./{PARAMS}"], capture_output=True, check=False)
    except FileNotFoundError:  # no git
        return None
    return None if done.returncode else done.stdout.decode("utf-8", "replace")


class _Representer(RoundTripRepresenter):
    """Writes null as null, where ruamel.yaml would write nothing."""


_Representer.add_representer(type(None), lambda to, _: to.represent_scalar("tag:yaml.org,2002:null", "null"))


def _yaml() -> YAML:
    """A reader and writer of YAML that keeps comments."""
    yaml = YAML()
    yaml.width, yaml.preserve_quotes, yaml.Representer = 4096, True, _Representer
    return yaml
