"""What the results of every stage take up in DVC's cache, for make sizes."""

import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from winnow.errors import UserError
from winnow.params.base import read_yaml

LOCK = Path("dvc.lock")
MIB = 2**20


def in_words(cache: Path) -> str:
    """A table of the stages in dvc.lock, and of data that `dvc add` tracks: files and MiB in the cache, the largest
    first, and what else is in the cache. The cache keeps a file once, however many stages have it.

    Raises UserError if there is no dvc.lock.
    """
    if not LOCK.exists():
        raise UserError(f"{LOCK}: no such file: no stage has run here yet")
    held = {path.parent.name + path.name: path.stat().st_size for path in (cache / "files/md5").glob("??/*")}
    wanted = {name: {*_objects(entry, cache)} for name, entry in _entries()}
    rows = [(name, own & held.keys()) for name, own in wanted.items()]
    rows.sort(key=lambda row: -sum(map(held.__getitem__, row[1])))
    every = {md5 for own in wanted.values() for md5 in own}
    rows += [("all of these", every & held.keys()), ("of other branches, or of none", held.keys() - every)]
    width = max(len(name) for name, _ in rows)
    lines = [f"{'stage':{width}}  files      MiB"]
    lines += [f"{name:{width}}  {len(own):5}  {sum(map(held.__getitem__, own)) / MIB:7.1f}" for name, own in rows]
    missing = every - held.keys()
    return "\n".join(
        [*lines, *([f"{len(missing)} files are not in the cache: dvc pull brings them"] if missing else [])]
    )


def cache_folder() -> Path:
    """The folder of DVC's cache; the config of the project, or the user's, may have it elsewhere."""
    found = subprocess.run(["dvc", "cache", "dir"], stdout=subprocess.PIPE, text=True, check=False)
    return Path(found.stdout.strip() or ".dvc/cache")


def _entries() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every stage, and every .dvc file, with its outputs in the cache: those that are not in git."""
    listed = subprocess.run(["git", "ls-files", "-z"], stdout=subprocess.PIPE, text=True, check=False)
    in_git = listed.stdout.split("\0")
    folders = {str(above) for path in in_git for above in (Path(path), *Path(path).parents)}
    for name, entry in (read_yaml(LOCK).get("stages") or {}).items():
        yield name, [out for out in entry.get("outs", []) if out["path"] not in folders]
    for path in in_git:
        if path.endswith(".dvc") and Path(path).exists():
            yield path, read_yaml(path).get("outs", [])


def _objects(outs: Collection[dict[str, Any]], cache: Path) -> Iterator[str]:
    """The hashes of outputs, and of the files in those that are folders."""
    for md5 in (out["md5"] for out in outs if "md5" in out):
        yield md5
        listed = cache / "files/md5" / md5[:2] / md5[2:]
        if md5.endswith(".dir") and listed.exists():
            yield from (file["md5"] for file in json.loads(listed.read_bytes()))


if __name__ == "__main__":
    try:
        print(in_words(cache_folder()))
    except UserError as error:
        sys.exit(f"error: {error}")
