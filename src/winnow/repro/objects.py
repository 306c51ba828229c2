"""What DVC's cache holds: which objects are damaged, and which outputs they belong to.

DVC hashes no object that is in its cache already: it trusts the file's read-only mode, and its own table of sizes and
times. So a flipped bit stays unnoticed until somebody looks.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dvc_objects.errors import ObjectFormatError

from winnow.params.base import read_yaml
from winnow.repro.digests import is_damaged
from winnow.repro.distrust import listed, run_of
from winnow.storage import atomic_file

NAME = re.compile(r"[0-9a-f]{32}(\.dir)?")  # an object's hash (MD5); .dir: the list of a folder's files
LOCK = Path("dvc.lock")


@dataclass(frozen=True)
class Damaged:
    """A file of the cache that is not what its name says, and the paths in the project of what it should hold (none,
    if only another branch or an earlier result needs it)."""

    file: Path
    paths: tuple[Path, ...]

    def __str__(self) -> str:
        of = ", ".join(map(str, self.paths)) or "no output of this branch"
        return f"{self.file}: damaged; it is of {of}"


def damaged(cache: Path, project: Path = Path()) -> Iterator[Damaged]:
    """Read the whole cache, and yield what is damaged: about 500 MB a second."""
    paths = held(cache, project)
    for name, file in objects(cache):
        if not _is_right(name, file):
            yield Damaged(file, paths.get(name, ()))
    for file in sorted(cache.glob("runs/*/*/*")):
        if file.suffix != ".tmp" and run_of(file.read_bytes(), file.parent.name, file.name) is None:
            yield Damaged(file, ())


def objects(cache: Path) -> Iterator[tuple[str, Path]]:
    """The name (a hash) and the file of every object."""
    for file in sorted(cache.glob("files/md5/??/*")):
        name = file.parent.name + file.name
        if NAME.fullmatch(name):
            yield name, file


def held(cache: Path, project: Path = Path()) -> Mapping[str, tuple[Path, ...]]:
    """By an object's name, the paths that hold it in the project as dvc.lock has it."""
    found = dict[str, list[Path]]()
    stages = read_yaml(project / LOCK)["stages"] if (project / LOCK).exists() else {}
    for out in [out for stage in stages.values() for out in stage.get("outs", [])]:
        name, path = out.get("md5", ""), Path(out["path"])
        found.setdefault(name, []).append(path)
        if not NAME.fullmatch(name) or not name.endswith(".dir"):
            continue
        try:
            for key, _, info in listed(place(cache, name).read_bytes(), name):
                found.setdefault(info.value, []).append(path.joinpath(*key))
        except (OSError, ObjectFormatError):  # the list itself is missing or damaged
            continue
    return {name: tuple(paths) for name, paths in found.items()}


def place(cache: Path, name: str) -> Path:
    """The file of an object."""
    return cache / "files" / "md5" / name[:2] / name[2:]


def mend(found: Damaged, project: Path = Path()) -> str:
    """Take a damaged file out of the cache, and what came of it out of the workspace; put it back from the workspace,
    if it is whole there. Returns what was done."""
    name = found.file.parent.name + found.file.name
    copies = [project / path for path in found.paths if (project / path).is_file()]
    whole = next((path for path in copies if _is_right(name, path)), None)
    found.file.unlink()
    if whole:
        with atomic_file(found.file) as temporary:
            shutil.copyfile(whole, temporary)
        found.file.chmod(0o444)  # as DVC has them
        return f"{found}: put back from {whole}"
    for path in copies:
        path.unlink()  # DVC takes it for whole, as it took the object
    return f"{found}: removed; winnow pull fetches it, or dvc repro makes it"


def _is_right(name: str, file: Path) -> bool:
    try:
        if name.endswith(".dir"):
            listed(file.read_bytes(), name)
            return True
        return not is_damaged(file, name)
    except (OSError, ObjectFormatError):
        return False
