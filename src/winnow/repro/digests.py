"""Has a file still the bytes that DVC has hashed?

DVC takes a file for unchanged if its size, time and inode are, and an object of its cache if it is read-only. So it
does not notice what a failing disk, or a program that keeps the time, has changed.
"""

import hashlib
from pathlib import Path
from typing import Any

_read: dict[tuple[str, int, int, int], str] = {}  # this process reads a file once, unless it changes


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def is_damaged(path: str | Path, digest: str) -> bool:
    """Whether the file has other bytes than its MD5 says. digest: as DVC writes it, with ``.dir`` for a folder's list.
    A file that is missing is not damaged."""
    try:
        return md5_of(path) != digest.removesuffix(".dir")
    except FileNotFoundError:
        return False


def md5_of(path: str | Path) -> str:
    about = Path(path).stat()
    known = (str(path), about.st_ino, about.st_size, about.st_mtime_ns)
    if known not in _read:
        with Path(path).open("rb") as file:
            _read[known] = hashlib.file_digest(file, _md5).hexdigest()
    return _read[known]
