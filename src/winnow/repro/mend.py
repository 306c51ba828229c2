"""Mends the files that a killed DVC leaves half-written and cannot read again, while no other DVC is at work here."""

import json
import shutil
import subprocess
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.rwlock import SCHEMA
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from dvc.utils.serialize import load_yaml
from voluptuous import Invalid

from winnow.errors import UserError

RWLOCK = Path(".dvc/tmp/rwlock")  # which commands read and write what just now
LOCK, COPY = Path("dvc.lock"), Path(".winnow/dvc.lock")


def mend() -> list[str]:
    """Mend the files that DVC cannot read, and return a line on each. The caller holds the repository's lock.

    DVC writes its rwlock and dvc.lock in place. If it is killed at that moment, it leaves half a file, and every later
    dvc command ends in an error. The rwlock only says which commands are at work just now, so it can go. dvc.lock comes
    back from an earlier copy, or from the last commit. DVC finds anything newer in its run cache.

    Raises UserError if dvc.lock is not half-written, but has the marks of a merge: which side to take is the user's.
    """
    if LOCK.exists() and b"\n<<<<<<< " in b"\n" + LOCK.read_bytes():
        raise UserError(f"{LOCK}: has both sides of a merge: git checkout --ours {LOCK}, and run this again")
    done, found = [], broken()
    if RWLOCK in found:
        RWLOCK.unlink()
        done.append(f"{RWLOCK}: was left half-written by a dvc that was killed; removed")
    if LOCK in found:
        if COPY.exists() and is_whole(COPY):
            shutil.copyfile(COPY, LOCK)
            done.append(f"{LOCK}: was left half-written by a dvc that was killed; put back from a copy")
        elif _from_git():
            done.append(f"{LOCK}: was left half-written by a dvc that was killed; put back from the last commit")
        else:
            LOCK.unlink()
            done.append(f"{LOCK}: was left half-written by a dvc that was killed; removed")
    return done


def broken() -> list[Path]:
    """The files of DVC that are half-written."""
    rwlock = RWLOCK.exists() and not _is_rwlock(RWLOCK.read_bytes())
    return [*([RWLOCK] if rwlock else []), *([LOCK] if LOCK.exists() and not is_whole(LOCK) else [])]


def keep_copy() -> None:
    """Copy dvc.lock, which is whole just now, in case DVC is killed while writing it."""
    if LOCK.exists():
        COPY.parent.mkdir(exist_ok=True)
        temporary = COPY.with_suffix(".unfinished")
        shutil.copyfile(LOCK, temporary)
        temporary.replace(COPY)


def is_whole(path: Path) -> bool:
    """Whether DVC can read this dvc.lock, and its last line is complete."""
    if not path.read_bytes().endswith(b"\n"):
        return False
    try:
        COMPILED_LOCKFILE_SCHEMA(load_yaml(path))
    except (DvcException, Invalid):  # no YAML, not even text, or other keys
        return False
    return True


def _is_rwlock(content: bytes) -> bool:
    try:
        SCHEMA(json.loads(content))
    except (ValueError, Invalid):
        return False
    return True


def _from_git() -> bool:
    shown = subprocess.run(["git", "show", f"HEAD:./{LOCK}"], capture_output=True, check=False)
    if shown.returncode:
        return False
    LOCK.write_bytes(shown.stdout)
    return True
