"""What every stage script shares: its declared params and code, errors in one line, a scratch folder.

This is the only place that knows of DVC. A stage runs from the project's root as ``python -m winnow.stages.NAME [ITEM
…]``, with its items in the order of its matrix in dvc.yaml, and its name in DVC_STAGE.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

from winnow import cores
from winnow.errors import UserError, describe
from winnow.params.base import Section, read_yaml, validate
from winnow.params.named import load_named
from winnow.params.view import View
from winnow.ranks import follows
from winnow.stages import INTERRUPTED, end_at_once

SCRATCH = Path(".winnow")
TIMES = SCRATCH / "times.csv"  # what make times shows
CODE = Path("data/code")  # lists of the stages' code, which are written even if they have not changed
NAMED = re.compile(r"^\w+\.\$\{(\w+\.\w+)\}$")  # networks.${early.network}: the network that early.network names
USED = re.compile(r"\b(early|retrain|dense|target)\.(network|training)\.")
LOCK_SECONDS = 10


def main(stage: Callable[..., None]) -> None:
    """Run a stage with the command line's arguments. A user's mistake ends it with one line and exit status 1."""
    try:
        if signal.getsignal(signal.SIGINT) is end_at_once:  # the imports are done
            signal.signal(signal.SIGINT, signal.default_int_handler)
        cores.take()
        with _timed():
            stage(*sys.argv[1:])
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:  # such as a full disk, or a read-only folder
        sys.exit(f"error: {describe(error)}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        cores.give_back()


@contextmanager
def _timed() -> Iterator[None]:
    """Add a line to the table of times, which is not an output of any stage because times differ from run to run."""
    start, used = time.monotonic(), _processor_seconds()
    try:
        yield
    finally:
        TIMES.parent.mkdir(exist_ok=True)
        new = not TIMES.exists()
        with TIMES.open("a", encoding="utf-8") as file:
            seconds, processor = time.monotonic() - start, _processor_seconds() - used
            text = "stage,ended,seconds,processor_seconds\n" if new else ""
            file.write(f"{text}{os.environ.get('DVC_STAGE')},{time.time():.0f},{seconds:.2f},{processor:.2f}\n")


def _processor_seconds() -> float:
    """Processor time, on all cores, of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def name() -> str:
    """The stage's name, such as early@a."""
    try:
        return os.environ["DVC_STAGE"]
    except KeyError:
        raise UserError("DVC_STAGE is not set: run stages through dvc, such as: dvc repro download") from None


def params(item: str | None = None, **sections: type[Section]) -> View:
    """The sections of params.yaml that this stage reads, checked, and limited to the keys that dvc.yaml declares.

    A stage reads a network or a training at the key that names it: ``networks.${early.network}`` declares
    early.network. item: the key of an item that names its own, such as transfer.sources.lenet; dvc.yaml declares these
    as ``networks.${item.network}``, so that the names do not matter, and the stage reads them as item.network.
    """
    values = read_yaml("params.yaml")
    named = load_named(values, "params.yaml")
    checked = {
        key: validate(model, values.get(key, {}), "params.yaml", (key,), named) for key, model in sections.items()
    }
    of_item = {} if item is None else {"item": reduce(_part, item.split("."), checked)}
    return View(SimpleNamespace(**checked, **of_item), _declared("params", as_read=True))


def _part(whole: Any, name: str) -> Any:
    return whole[name] if isinstance(whole, dict) else getattr(whole, name)


@contextmanager
def naming(key: str) -> Iterator[None]:
    """Turn a kernel's ValueError, which names what it was given, into a UserError about this key of params.yaml. A key
    of the network or training that early.network or dense.training names becomes its own key, such as networks.NAME."""
    try:
        yield
    except ValueError as error:
        values = read_yaml("params.yaml")
        own = USED.sub(lambda used: f"{used[2]}s.{values[used[1]][used[2]]}.", key)
        raise UserError(f"{own}{error}") from error


def code() -> str:
    """The list of this stage's code, for stages that reuse a result if its inputs have not changed."""
    return next(Path(dep) for dep in _declared("deps") if CODE in Path(dep).parents).read_text(encoding="utf-8")


def keep_only(folder: Path, names: Iterable[str]) -> None:
    """Keep only these names in a folder where several stages write an item each; remove everything else.

    Otherwise an item that is no longer in the params would be hashed with the folder, and a colleague who never had the
    item would get another hash, and rerun. DVC's cache still has the item.
    """
    kept = set(names)
    for path in folder.iterdir() if folder.exists() else []:
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def scratch() -> Path:
    """A folder for unfinished work. A later run of this stage with the same params, inputs and code finds it again. A
    process that follows another (winnow.ranks) takes the folder that the other has made.

    The folder's name is a hash of the declared code and params, and of the size and time of the declared data, by which
    DVC too detects changed files. Folders that this stage left for other values are removed.
    """
    digest = hashlib.sha256()
    values = read_yaml("params.yaml")
    for key in _declared("params"):
        digest.update(json.dumps([key, _at(values, key)], sort_keys=True).encode())
    for dependency in _declared("deps"):
        root = Path(dependency)
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if CODE in path.parents:
                digest.update(path.read_bytes())
            elif path.is_file():
                digest.update(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    folder = SCRATCH / name() / digest.hexdigest()[:16]
    if follows():
        return folder
    SCRATCH.mkdir(exist_ok=True)
    _lock(SCRATCH / f"{name()}.lock")
    folder.mkdir(parents=True, exist_ok=True)  # only now: the run that held the lock may have moved the folder
    for other in folder.parent.glob("*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def _lock(path: Path) -> None:
    """Lock a file until this process ends: two runs of one stage must not write together."""
    file = path.open("w")
    _held.append(file)
    for _ in range(LOCK_SECONDS):
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # a process that was just killed may need a moment to end
            time.sleep(1)
    raise UserError(f"{name()} is still running from an earlier start: wait for it, or end that process")


_held: list[IO[str]] = []  # a closed file loses its lock


def finish(folder: Path, out: str) -> None:
    """Move finished work from the scratch folder to the stage's output, in one step."""
    target = Path(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    folder.rename(target)


def _declared(kind: str, as_read: bool = False) -> list[str]:
    """The params or deps that dvc.yaml gives this stage, filled in.

    as_read: name a network or a training by the key that names it: early.network for networks.${early.network}.
    """
    group, _, key = name().partition("@")
    try:
        entry = read_yaml("dvc.yaml")["stages"][group]
    except KeyError:
        raise UserError(f"DVC_STAGE={name()}: dvc.yaml has no stage {group}") from None
    values = read_yaml("params.yaml") if Path("params.yaml").exists() else {}
    item: Any = dict(zip(entry.get("matrix", {}), sys.argv[1:], strict=False))
    if "foreach" in entry:
        items = _at(values, entry["foreach"].strip("${}"))
        item = items[key] if isinstance(items, dict) else key
        entry = entry["do"]
    values |= {"key": key, "item": item}
    templates = [NAMED.sub(r"\1", str(declared)) if as_read else str(declared) for declared in entry[kind]]
    return [re.sub(r"\$\{([^}]+)\}", lambda found: str(_at(values, found[1])), text) for text in templates]


def _at(values: Any, key: str) -> Any:
    """The value of a key such as early.epochs. Raises KeyError if the key is missing."""
    for part in key.split("."):
        values = values[part]
    return values
