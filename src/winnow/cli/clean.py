"""winnow clean: removes what killed processes left behind. A run does well without: this gives the disk back."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from winnow.errors import UserError
from winnow.repro.mend import RWLOCK, broken, mend

WRITTEN = ("data", "plots", "metrics", "report", ".winnow")  # where stages write
SCRATCH = Path(".winnow")


@dataclass(frozen=True)
class Leftover:
    """Files or folders that nothing needs, and what they are, in one line."""

    about: str
    paths: tuple[Path, ...]


def leftovers() -> list[Leftover]:
    """What killed processes left in the working directory's project and its cache."""
    found = [Leftover(f"{path}: was left half-written by a dvc that was killed", (path,)) for path in broken()]
    for where, paths in (("the project", list(_unfinished())), ("the cache", list(_of_cache()))):
        if paths:
            what = f"{len(paths)} unfinished {'file' if len(paths) == 1 else 'files'} in {where}"
            found.append(Leftover(f"{what}, such as {paths[0]}: {size(*paths) / 2**20:.1f} MiB", tuple(paths)))
    return found


def clean(scratch: bool = False, cache: Path | None = None) -> Iterator[str]:
    """Remove the leftovers, and say of each what it was. scratch: unfinished work of stages too, from which they would
    go on. cache: damaged objects of this cache too. Raises UserError, and removes nothing, while a command is at work
    here."""
    if not Path(".dvc").is_dir():
        raise UserError(".dvc: no such folder: run this in the folder of a project")
    if number := at_work():
        raise UserError(f"process {number} is at work here: wait for it, or end it")
    from winnow.repro.books import locked, opened

    with contextlib.ExitStack() as held:
        yield from mend()  # DVC reads these files itself
        held.enter_context(locked(held.enter_context(opened())))
        for what in leftovers():
            _remove(what.paths)
            yield f"removed {what.about}"
        folders = sorted(path.with_suffix("") for path in SCRATCH.glob("*.lock") if path.with_suffix("").is_dir())
        if scratch and folders:
            yield f"removed the unfinished work of {len(folders)} stages: {size(*folders) / 2**20:.1f} MiB"
            _remove(folders)
        from winnow.repro import objects

        yield from map(objects.mend, objects.damaged(cache) if cache else ())


def at_work() -> int | None:
    """The number of a process that DVC's rwlock has at work here, and that lives."""
    try:
        entries = json.loads(RWLOCK.read_bytes())
    except (OSError, ValueError):
        return None
    for entry in entries.values():
        for process in [entry.get("write"), *entry.get("read", [])]:
            number = process and process["pid"]
            if number and number != os.getpid() and _lives(number):
                return int(number)
    return None


def size(*paths: Path) -> int:
    """Bytes on disk of files, and of all files in folders."""
    files = (file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]))
    return sum(file.stat().st_size for file in files if file.is_file())


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # a colleague's
        return True
    return True


def _unfinished() -> Iterator[Path]:
    """What storage.atomic_file and DVC write beside a file before it replaces it."""
    yield from Path().glob(".*.unfinished*")
    for folder in WRITTEN:
        yield from Path(folder).rglob(".*.unfinished*")
        yield from Path(folder).rglob(".*.tmp")


def _of_cache() -> Iterator[Path]:
    cache = Path(".dvc/cache")
    yield from cache.glob(".unfinished.*")
    yield from cache.glob("files/md5/*/*.tmp")
    yield from cache.glob("runs/*/*/*.tmp")


def _remove(paths: tuple[Path, ...] | list[Path]) -> None:
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
