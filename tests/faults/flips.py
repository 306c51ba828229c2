"""A bit flips in a file of the cache or of the workspace, with or without a new time, and then the project is used."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from tests.faults import small
from tests.faults.reference import Reference
from tests.faults.small import MAKE
from tests.faults.tried import Lost, Trial
from tests.repro.toy import Toy

PLACES = {
    "an object of the cache": ".dvc/cache/files/*/*/*",
    "an entry of the run cache": ".dvc/cache/runs/*/*/*",
    "an output": "data/**/*",
    "an object of the cache ": ".dvc/cache/files/*/*/*",
    "an output ": "data/**/*",
    "an output in git": "plots/*",
    "dvc.lock": "dvc.lock",
    "the copy of dvc.lock": ".winnow/dvc.lock",
    "the state database": "../site/**/cache.db",
    "the rwlock": ".dvc/tmp/rwlock",
}


def nothing(_: Toy) -> None:
    """Nothing has changed."""


def without_outputs(toy: Toy) -> None:
    for name in ("data", "made"):
        shutil.rmtree(toy.path(name))


def without_lock(toy: Toy) -> None:
    """As after a change and back: only the run cache knows."""
    without_outputs(toy)
    toy.path("dvc.lock").unlink()


USES: dict[str, Callable[[Toy], None]] = {
    "a parameter changes": small.change,
    "the outputs are made again from the cache": without_outputs,
    "nothing else has changed": nothing,
    "the outputs are made again from the run cache": without_lock,
}

GONE = {
    "the outputs are made again from the cache": ("an output",),
    "the outputs are made again from the run cache": ("an output", "dvc.lock"),
}


def trials(reference: Reference, count: int | None = None, program: str = "make repro") -> Iterator[Trial]:
    """Each place and each use in turn."""
    for number in range(count or 100):
        place = list(PLACES)[number % len(PLACES)]
        uses = [use for use in USES if place.strip() not in GONE.get(use, ())]
        use = uses[(number + number // len(PLACES)) % len(uses)]
        time = "the same time" if number // 2 % 2 else "a new time"
        kind = "flip" if program == "make repro" else "flip-dvc"
        row = f"{place.strip()}, {time}"
        yield Trial(kind, number, row, f"{row}: {use}", _trial(reference, place, use, time == "the same time", program))


def _trial(reference: Reference, place: str, use: str, keep_time: bool, program: str) -> Callable[[Random, Path], str]:
    def do(numbers: Random, box: Path) -> str:
        toy = small.copy(reference.finished["make repro"], box / "toy")
        assert small.run(toy, *MAKE)[0] == 0  # DVC hashes the copies, and trusts what it finds from now on
        USES[use](toy)
        files = sorted(path for path in toy.folder.glob(PLACES[place]) if path.is_file() and path.stat().st_size)
        file = files[numbers.randrange(len(files))]
        flip(file, numbers, keep_time)
        wanted = reference.changed if use == "a parameter changes" else reference.results
        return outcome(toy, file, wanted, small.PROGRAMS[program])

    return do


def flip(file: Path, numbers: Random, keep_time: bool) -> None:
    """Flip a bit in place, as a disk does: the file's inode stays, and its time if wanted."""
    about = file.stat()
    content = bytearray(file.read_bytes())
    content[numbers.randrange(len(content))] ^= 1 << numbers.randrange(8)
    with file.open("r+b") as opened:
        opened.write(content)
    if keep_time:
        os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def outcome(toy: Toy, file: Path, wanted: dict[str, bytes], program: tuple[str, ...]) -> str:
    """What a run makes of it; raises Lost if it ends in another result, and says nothing."""
    name = os.path.relpath(file, toy.folder)
    status, printed = small.run(toy, *program)
    told = ""
    if status:
        if not _names(printed, name):
            raise Lost(f"{name}: an error that does not name it: {printed}")
        told = "an error names it, "
        status, printed = small.run(toy, *MAKE)
        if status:
            raise Lost(f"{name}: make repro again ends with {status}: {printed}")
    different = small.differences(small.results(toy), wanted)
    if different == [name] and program == MAKE and not re.search(r"^\S+ ran in", printed, re.M):
        listed = small.run(toy, "winnow", "doctor", "--cache")[1]
        if name in listed:
            file.unlink()  # as it says
            _, printed = small.run(toy, *MAKE)
            different = small.differences(small.results(toy), wanted)
            told = "nothing reads it; winnow doctor --cache names it, and when it is removed, "
    if different:
        raise Lost(f"{name}: silently other bytes in {different}")
    left = "; its object stays damaged: winnow doctor --cache" if small.damaged(toy) else ""
    return f"{told}same bytes{left}"


def _names(printed: str, name: str) -> bool:
    parts = Path(name).parts
    return name in printed or parts[-1] in printed or "".join(parts[-2:]) in printed
