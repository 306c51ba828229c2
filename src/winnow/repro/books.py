"""DVC's books: which stages there are, whether they have changed, and how their outputs are kept.

Only this module, pull and distrust call DVC's internals. ``begin`` and ``keep`` are the two halves of
``dvc.stage.Stage.run``; DVC itself would wait for the stage's command in between.
"""

import contextlib
import json
import logging
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from diskcache import Cache, Timeout
from dvc.exceptions import DvcException
from dvc.fs import LocalFileSystem
from dvc.lock import LockError
from dvc.progress import Tqdm
from dvc.repo import Repo
from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
from dvc.rwlock import rwlock
from dvc.stage import PipelineStage
from dvc.stage.cache import RunCacheNotFoundError, StageCache
from dvc.stage.run import prepare_kwargs
from dvc.utils.serialize import dump_yaml, load_yaml
from dvc_objects.errors import ObjectFormatError

from winnow.errors import UserError, describe
from winnow.repro.away import OWN, File, Freight
from winnow.repro.digests import is_damaged, md5_of
from winnow.repro.distrust import LONGEST_RUN, distrust, run_of
from winnow.repro.mend import COPY, is_whole
from winnow.storage import atomic_file

Stage = Any  # of DVC, which ships no types
RUN = re.compile("[0-9a-f]{64}")  # the name of an entry of the run cache, and of its folder
BEFORE = ".winnow/lock_before.json"  # the stages in dvc.lock when the run began
CODE, DEVICE = "data/code", "winnow/training/device.py"  # lists of the code of stages; a line in some of them
UNDECLARED = ("dvc.yaml", "params.yaml", "networks")  # what stages of ours read, and declare in parts or by their code
WAIT_SECONDS = 600  # for another dvc command to release the repository's lock


def _whole_files() -> LocalFileSystem:
    """Writes DVC's text files (dvc.lock and the rwlock) completely before they replace the old ones.

    DVC itself writes in place. If it is killed at that moment, it leaves half a file, which no dvc command reads. No
    subclass does this: DVC makes links (``cache.type``) only between file systems of the same class.
    """
    files = LocalFileSystem()
    plain = files.open

    def open_(path: str, mode: str = "r", **options: Any) -> AbstractContextManager[IO[Any]]:
        return plain(path, mode, **options) if "w" not in mode or "b" in mode else _open_whole(path, mode, **options)

    files.open = open_
    return files


@contextmanager
def _open_whole(path: str, mode: str, **options: Any) -> Iterator[IO[Any]]:
    with atomic_file(path) as temporary, temporary.open(mode, **options) as file:
        yield file


class _WholeEntries(StageCache):
    """Makes an entry of DVC's run cache elsewhere, and moves it in; believes only entries that fit their key, and gives
    back only outputs that are not damaged.

    DVC itself makes the entry's folder first. If it is killed before it writes a file there, no dvc command runs that
    stage again. And it restores whatever lies in the cache.
    """

    def save(self, stage: Stage) -> None:
        cache = self.repo.cache.legacy
        cache.makedirs(self.cache_dir)
        with tempfile.TemporaryDirectory(prefix=".unfinished.", dir=cache.path) as temporary:
            aside = StageCache(self.repo)
            aside.cache_dir = temporary
            aside.save(stage)
            for made in Path(temporary).glob("*/*/*"):
                place = Path(self.cache_dir, made.relative_to(temporary))
                cache.makedirs(str(place.parent.parent))
                try:
                    made.parent.rename(place.parent)
                except OSError:  # the cache already has runs with the same inputs
                    if not place.exists():
                        made.rename(place)

    def _load_cache(self, key: str, value: str | None) -> Any:
        if value is None or value.endswith(".tmp"):  # left by a killed dvc
            return None
        path = Path(self._get_cache_path(key, value))
        if path.exists() and run_of(path.read_bytes(), key, value) is None:
            print(f"{path}: is no run of this stage, but damaged or made up; removed", flush=True)
            path.unlink()
        return super()._load_cache(key, value)

    def pull(self, remote: str | None, odb: Any = None) -> list[tuple[str, str]]:
        """Take the entries that fit their key from the remote. DVC's own would take any file, wherever its name
        leads."""
        store = odb or self.repo.cloud.get_remote_odb(remote, "fetch --run-cache", hash_name="md5-dos2unix")
        runs, new = store.fs.join(store.path, "runs"), []
        for found in store.fs.find(runs) if store.fs.exists(runs) else []:
            key, value = store.fs.parts(found)[-2:]
            place = Path(self._get_cache_path(key, value))
            if not (RUN.fullmatch(key) and RUN.fullmatch(value)) or place.exists():
                continue
            with store.fs.open(found, "rb") as file:
                content = file.read(LONGEST_RUN + 1)
            if run_of(content, key, value) is not None:
                self.repo.cache.legacy.makedirs(str(place.parent))
                with atomic_file(place) as temporary:
                    temporary.write_bytes(content)
                new.append((key, value))
        return new

    def _create_stage(self, cache: Any, wdir: str | None = None) -> Stage:
        stage = super()._create_stage(cache, wdir)
        _drop_damaged(stage)
        return stage


def _drop_damaged(stage: Stage) -> None:
    """Remove the damaged objects of a stage's outputs from the cache, so that DVC makes them again."""
    for out in stage.outs:
        if not out.use_cache:
            continue
        with contextlib.suppress(FileNotFoundError):
            whole = out.hash_info.value
            if whole and is_damaged(out.cache.oid_to_path(whole), whole):
                Path(out.cache.oid_to_path(whole)).unlink()
        for _, digest in _files(out):
            if is_damaged(out.cache.oid_to_path(digest), digest):
                Path(out.cache.oid_to_path(digest)).unlink()


def _files(item: Any) -> list[tuple[Path, str]]:
    """The files of an input or output, and their MD5s, as DVC knows them."""
    local = item.protocol == "local"  # else on object storage, whose own hashes DVC takes
    found = item.get_obj() if local and item.hash_info.name == "md5" else None
    if not found:
        return []
    if not item.hash_info.isdir:
        return [(Path(item.fs_path), item.hash_info.value)]
    return [(Path(item.fs_path, *key), part.value) for key, _, part in found]


@contextmanager
def opened(root: str = ".") -> Iterator[Repo]:
    """The project, not yet locked (``locked`` does that). Raises UserError for what DVC finds wrong with its files."""
    logging.getLogger("dvc").setLevel(logging.WARNING)
    distrust()
    Tqdm.monitor_interval = 0  # its thread cannot start, and hangs, where the interpreter ends and releases a lock
    with translated():
        repo = Repo(root)
        repo.fs = _whole_files()
        repo.stage_cache = _WholeEntries(repo)
        for table in (repo.state.links, repo.state.hashes):
            _try_once(table)
    try:
        yield repo
    finally:
        repo.close()


def _try_once(table: Any) -> None:
    """Let DVC's state database fail if it cannot be written for a minute. DVC itself would try forever, with all of a
    core, if the disk is full."""
    transact = table._transact
    table._transact = lambda retry=False, filename=None: transact(False, filename)


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors of DVC and of the system into a UserError of one line."""
    try:
        yield
    except (DvcException, ObjectFormatError) as error:
        raise UserError(" ".join(str(error).split())) from None
    except OSError as error:  # such as a full disk, or a read-only folder
        _let_go(error)
        raise UserError(describe(error)) from None
    except (sqlite3.Error, Timeout) as error:  # the same, for DVC's table of hashes
        if folder := _damaged_database(error):
            shutil.rmtree(folder, ignore_errors=True)  # DVC computes again what it held
            then = "remove it, and run this again" if Path(folder).exists() else "removed: run this again"
            raise UserError(f"{folder}: DVC's state database was damaged ({error}); {then}") from None
        raise UserError(f"DVC's state database cannot be written: {error or 'a full disk, or another dvc'}") from None


def _damaged_database(error: Exception) -> str | None:
    """The folder of the table of DVC's that an error is about, if it says that the table's file is damaged."""
    if not isinstance(error, sqlite3.DatabaseError) or isinstance(error, sqlite3.OperationalError):
        return None
    callers = (frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__))
    return next((str(caller.directory) for caller in callers if isinstance(caller, Cache)), None)


def _lock(repo: Repo) -> None:
    try:
        repo.lock.lock()
    except OSError as error:
        _let_go(error)
        raise


def _let_go(error: OSError) -> None:
    """Close the lock files that this error's frames hold open and locked, as DVC could not write them. Closing fails on
    a full disk again, and so does every lock that is given back later: Python would print each with a traceback."""
    before = sys.unraisablehook
    sys.unraisablehook = lambda said: None if isinstance(said.exc_value, OSError) else before(said)
    traceback.clear_frames(error.__traceback__)


@contextmanager
def locked(repo: Repo) -> Iterator[None]:
    """Hold the repository's lock, as every dvc command does while it reads or writes the books."""
    begun = time.monotonic()
    while True:
        try:
            _lock(repo)
            break
        except LockError:
            if time.monotonic() - begun > WAIT_SECONDS:
                raise UserError("another dvc command holds the lock of this project: wait for it, or end it") from None
    try:
        yield
    finally:
        repo.lock.unlock()


def unverified(repo: Repo) -> list[str]:
    """A line on each remote whose objects dvc pull does not compare with their hashes."""
    names = [name for name, remote in repo.config["remote"].items() if not remote.get("verify")]
    return [f"remote {name}: dvc pull believes what it holds: dvc remote modify {name} verify true" for name in names]


class Plan(NamedTuple):
    """The stages in an order in which they could run one by one, and what each depends on directly."""

    steps: list[Stage]
    needs: dict[Stage, list[Stage]]


def plan(repo: Repo, targets: Sequence[str]) -> Plan:
    """What a run of the targets, or of all stages, has to bring up to date."""
    with translated():
        stages = collect_stages(repo, list(targets) or ["dvc.yaml"])
        graph = get_active_graph(repo.index.graph)
        steps = plan_repro(graph, stages)
    return Plan(steps, {stage: [above for above in graph.successors(stage) if above in steps] for stage in steps})


def names_in_lock(repo: Repo) -> list[str]:
    """The stages in dvc.lock, in its order; if an earlier run failed or was stopped, those before that run.

    A killed DVC can leave a dvc.lock that ends after a whole entry. Then these are the stages of its copy, where it
    begins with the same ones.
    """
    path, noted = Path(repo.root_dir, "dvc.lock"), Path(repo.root_dir, BEFORE)
    with contextlib.suppress(FileNotFoundError, ValueError):  # ValueError: damaged
        return list(json.loads(noted.read_text(encoding="utf-8")))
    copy = Path(repo.root_dir, COPY)
    names = list(load_yaml(path).get("stages", {})) if path.exists() else []
    whole = list(load_yaml(copy).get("stages", {})) if copy.exists() and is_whole(copy) else []
    if names and whole[: len(names)] == names:
        names = whole
    with atomic_file(noted) as temporary:
        temporary.write_text(json.dumps(names), encoding="utf-8")
    return names


def order_lock(repo: Repo, before: Sequence[str], steps: Sequence[Stage]) -> None:
    """Put new entries of dvc.lock where a run of one stage after another would put them: behind the earlier entries, in
    the order of the steps."""
    path = Path(repo.root_dir, "dvc.lock")
    if not path.exists():
        return
    content = load_yaml(path)
    place = {name: number for number, name in enumerate(dict.fromkeys([*before, *(step.name for step in steps)]))}
    stages = sorted(content["stages"].items(), key=lambda item: place.get(item[0], len(place)))
    if [name for name, _ in stages] != list(content["stages"]):
        with atomic_file(path) as temporary:
            dump_yaml(str(temporary), {**content, "stages": dict(stages)})


def forget_names(repo: Repo) -> None:
    """After a run that has brought everything up to date, the next one begins with the order in dvc.lock."""
    Path(repo.root_dir, BEFORE).unlink(missing_ok=True)


def has_command(stage: Stage) -> bool:
    """Whether the stage has a command to run. Data tracked by ``dvc add`` or ``dvc import-url`` has none, and frozen
    stages do not run."""
    return isinstance(stage, PipelineStage) and bool(stage.cmd) and not stage.frozen


def verify(stage: Stage) -> bool:
    """Let DVC handle a stage without a command. Returns whether there was something to do."""
    with translated():
        done = stage.reproduce()
        if done:
            stage.dump(update_pipeline=False)
    return bool(done)


def changed(stage: Stage) -> bool:
    """Whether the stage has changed, so that it must run or come from the run cache."""
    with translated():
        return bool(stage.changed())


def lacks_only_cache(stage: Stage) -> bool:
    """Whether the outputs in the workspace are right, and only DVC's cache does not have them all."""
    with translated():
        if stage.changed_stage() or stage.changed_deps() or any(out.workspace_status() for out in stage.outs):
            return False
        for out in stage.outs:
            out.save()
        return not any(is_damaged(*file) for out in stage.outs for file in _files(out))


def damaged_outputs(repo: Repo) -> list[str]:
    """The files of outputs in the workspace whose bytes have changed, but not their size and time: DVC takes them for
    what they were. Reads all of them."""
    with translated():
        outs = [out for out in repo.index.outs if out.exists]
        for out in outs:
            out.save()
    return [os.path.relpath(path) for out in outs for path, digest in _files(out) if is_damaged(path, digest)]


def claim(stage: Stage) -> ExitStack:
    """Take DVC's locks on the inputs and outputs of a stage: no other dvc command may write what it reads, or read what
    it writes. The caller closes them when the outputs are kept."""
    repo = stage.repo
    read, write = ([item.fs_path for item in items] for items in (stage.deps, stage.outs))
    hardlink = repo.config["core"].get("hardlink_lock", False)
    locks = ExitStack()
    with translated():
        # the name that DVC itself gives a process, so that the locks it takes inside these are the same
        locks.enter_context(rwlock(repo.tmp_dir, repo.fs, " ".join(sys.argv), read, write, hardlink))
    return locks


def begin(stage: Stage) -> bool:
    """Remove the old outputs, and restore the new ones from the run cache. False if it lacks them: then the command
    must run.

    Raises UserError if an input is missing, before it removes any output, or if one is damaged.
    """
    missing = [str(dep) for dep in stage.deps if not dep.exists]
    if missing:
        raise UserError(f"{', '.join(missing)}: missing, and no stage of dvc.yaml makes it")
    with translated():
        stage.remove_outs(ignore_remove=False, force=False)
        try:
            stage.repo.stage_cache.restore(stage)
        except RunCacheNotFoundError:
            stage.save_deps()
            _check_inputs(stage)
            return False
    return True


def _check_inputs(stage: Stage) -> None:
    """Read every input, and raise UserError for one whose bytes have changed, but not its size and time."""
    for path, digest in (file for dep in stage.deps for file in _files(dep)):
        if not is_damaged(path, digest):
            continue
        what = f"{os.path.relpath(path)}: is damaged: its bytes have changed, but not its size and time"
        if any(path.is_relative_to(out.fs_path) for out in stage.repo.index.outs):
            _damaged.add(path)
            raise UserError(f"{what}; make repro again replaces it")
        raise UserError(f"{what}; put a copy in its place, or touch it if that was meant")


_damaged: set[Path] = set()  # outputs


def show_damage() -> None:
    """Give damaged outputs a new time, so that DVC makes them again in the next run. In this run it would make others
    of them."""
    while _damaged:
        os.utime(_damaged.pop())


def environment(stage: Stage) -> dict[str, str]:
    """The environment of a stage's command."""
    return dict(prepare_kwargs(stage)["env"])


def computes(stage: Stage) -> bool:
    """Whether a stage of ours computes with networks: the list of its code, which the stage check wrote, has what
    chooses the device."""
    lists = [Path(dep.fs_path) for dep in stage.deps if Path(dep.fs_path).is_relative_to(Path(CODE).absolute())]
    return any(DEVICE in path.read_text(encoding="utf-8") for path in lists if path.suffix == ".txt")


def freight(stage: Stage) -> Freight:
    """What a stage needs on another node, after ``begin``."""
    root = Path(stage.repo.root_dir)
    files = {path: digest for dep in stage.deps for path, digest in _files(dep)}
    files |= {path: md5_of(path) for name in UNDECLARED for path in _below(root / name)}
    kept = [path for out in stage.outs if out.persist for path in _below(Path(out.fs_path))]
    work = {path: md5_of(path) for path in [*kept, *_below(root / OWN / stage.addressing)]}
    outs = [os.path.relpath(out.fs_path, root) for out in stage.outs]
    return Freight(stage.addressing, _sent(root, files), _sent(root, work), tuple(outs))


def _below(path: Path) -> list[Path]:
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in found if file.is_file() and "__pycache__" not in file.parts]


def _sent(root: Path, digests: Mapping[Path, str]) -> tuple[File, ...]:
    about = [(os.path.relpath(path, root), digest, path.stat()) for path, digest in digests.items()]
    return tuple(File(path, digest, found.st_size, found.st_mtime_ns) for path, digest, found in about)


def keep(stage: Stage) -> None:
    """Hash a stage's outputs, and put them into the cache and the run cache."""
    uncached = any(not out.use_cache and not out.is_metric and not out.is_plot for out in stage.outs)
    with translated():
        stage.save(run_cache=not uncached)
        _drop_damaged(stage)  # DVC writes no object that is there already
        stage.commit()


def note(stages: Sequence[Stage]) -> None:
    """Enter in dvc.lock stages whose outputs are in the cache. This takes up to a second, for many stages as for
    one."""
    with translated():
        for dvcfile in {stage.dvcfile.path: stage.dvcfile for stage in stages}.values():
            dvcfile.dump_stages(
                [stage for stage in stages if stage.dvcfile.path == dvcfile.path], update_pipeline=False
            )
