"""Times of another clock, two runs at once, a read-only workspace, and no permission on the cache."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.faults import small
from tests.faults.kills import recovered
from tests.faults.reference import Reference
from tests.faults.small import MAKE, PROGRAMS
from tests.faults.tried import Lost, Trial

YEAR = 365 * 24 * 3600
RIGHTS = "-dac_override,-dac_read_search,-fowner,-chown"  # by which root may do what a file's mode forbids
Do = Callable[[Random, Path], str]


def clock(reference: Reference, count: int | None = None) -> Iterator[Trial]:
    """Every file has a time as from a clock that was set back or ahead since; os.utime gives it."""
    ways = {"was a year ahead, and is set back": YEAR, "was a year behind": -YEAR, "stands still": None}
    cases = [(way, program) for way in ways for program in PROGRAMS]
    for number, (way, program) in enumerate(cases[:count]):
        row = f"{program}: the clock {way}; a parameter changes"
        yield Trial("clock", number, row, row, _clock(reference, program, ways[way]))


def _clock(reference: Reference, program: str, by: int | None) -> Do:
    def do(_: Random, box: Path) -> str:
        toy = small.copy(reference.finished[program], box / "toy")
        assert small.run(toy, *MAKE)[0] == 0
        for change in (small.change, small.change_back):
            for path in [toy.folder, *toy.folder.rglob("*")]:
                moment = 10**9 if by is None else path.stat().st_mtime + by
                os.utime(path, (moment, moment))
            change(toy)
            status, printed = small.run(toy, *PROGRAMS[program])
            if status:
                raise Lost(f"{program} ends with {status}: {printed}")
            wanted = reference.changed if change is small.change else reference.results
            if different := small.differences(small.results(toy), wanted):
                raise Lost(f"other bytes in {different}")
        return recovered(toy, reference.results)

    return do


def together(reference: Reference, count: int | None = None) -> Iterator[Trial]:
    """Two programs at once in one project, the second a random time after the first."""
    pairs = [("make repro", "make repro"), ("make repro", "dvc repro"), ("dvc repro", "make repro")] * 4
    for number, pair in enumerate(pairs[:count]):
        row = f"{pair[1]} beside {pair[0]}"
        yield Trial("together", number, row, row, _together(reference, *pair))


def _together(reference: Reference, first: str, second: str) -> Do:
    def do(numbers: Random, box: Path) -> str:
        toy = small.copy(reference.new, box / "toy")
        own = small.environment(toy)
        with toy.start(*PROGRAMS[first], **own) as one:
            time.sleep(numbers.random() * 0.7 * reference.seconds[first])
            with toy.start(*PROGRAMS[second], **own) as other:
                printed = [process.communicate(timeout=small.PATIENCE)[0] for process in (one, other)]
        ends = []
        for program, process, text in zip((first, second), (one, other), printed, strict=True):
            if "Traceback" in text:
                raise Lost(f"{program}: a traceback: {text}")
            if process.returncode and not any(word in text for word in ("is busy", "lock", "depend", "failed")):
                raise Lost(f"{program} ends with {process.returncode}, and does not say why: {text}")
            ends.append("ends well" if process.returncode == 0 else "is told that the other is at work")
        return f"the first {ends[0]}, the second {ends[1]}; {recovered(toy, reference.results)}"

    return do


def forbidden(reference: Reference, count: int | None = None) -> Iterator[Trial]:
    """What the project may not write, or not read, as its files' modes say; root gives up its rights for that."""
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        return
    places = {
        "the workspace is read-only": (".", 0o555),
        "the cache is read-only": (".dvc/cache", 0o555),
        "nobody may read the cache": (".dvc/cache", 0o000),
        "DVC's state database is read-only": ("../site", 0o555),
    }
    cases = [(place, program) for place in places for program in PROGRAMS]
    for number, (place, program) in enumerate(cases[:count]):
        row = f"{program}: {place}; a parameter changes"
        yield Trial("forbidden", number, row, row, _forbidden(reference, program, *places[place]))


def _forbidden(reference: Reference, program: str, place: str, mode: int) -> Do:
    def do(_: Random, box: Path) -> str:
        toy = small.copy(reference.finished[program], box / "toy")
        small.change(toy)
        with modes(toy.path(place), mode):
            status, printed = small.run(toy, *without_rights(), *PROGRAMS[program])
        if status == 0:
            return f"went on without; {recovered(toy, reference.changed)}"
        if "Traceback" in printed and program == "make repro":
            raise Lost(f"a traceback: {printed}")
        if "ermission" not in printed and "Read-only" not in printed:
            raise Lost(f"exit status {status}, but no line says why: {printed}")
        traced = " (and a traceback)" if "Traceback" in printed else ""
        return f"a line says so{traced}; with permission, {recovered(toy, reference.changed)}"

    return do


def without_rights() -> list[str]:
    """What to put before a command for a root that a file's mode stops."""
    return [] if os.geteuid() else ["setpriv", f"--bounding-set={RIGHTS}", f"--inh-caps={RIGHTS}"]


@contextmanager
def modes(folder: Path, mode: int) -> Iterator[None]:
    """Take away rights on all that lies below a folder."""
    paths = [folder, *folder.rglob("*")]
    before = {path: path.lstat().st_mode for path in paths if not path.is_symlink()}
    for path in reversed(before):
        path.chmod(before[path] & mode)
    try:
        yield
    finally:
        for path, own in before.items():
            if path.exists():
                path.chmod(own)
