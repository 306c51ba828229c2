"""The disk is full, from a random write to each file on, or as a small file system that is nearly full."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.faults import small
from tests.faults.injected import Fault
from tests.faults.kills import TRIES, recovered
from tests.faults.reference import Reference
from tests.faults.small import PROGRAMS
from tests.faults.tried import Lost, Trial
from tests.repro.toy import Toy

FULL = ("No space left on device", "Errno 28", "is full", "cannot be written")
SIZE = 2**21  # of the small file system; a run writes about a third of it
SMALL = 12  # trials on one


def trials(reference: Reference, count: int | None = None) -> Iterator[Trial]:
    """Each file that make repro writes, and every third that dvc repro writes; then file systems, if this may mount
    them."""
    places = [("make repro", path) for path in sorted(reference.space("make repro"))]
    places += [("dvc repro", path) for path in sorted(reference.space("dvc repro"))[::3]]
    for number, (program, path) in enumerate(places[:: max(1, len(places) // count)] if count else places):
        row = f"{program}: full while it writes {kind_of(path)}"
        yield Trial("disk", number, row, f"{program}: full while it writes {path}", _injected(reference, program, path))
    if os.geteuid() == 0 and not count:
        for number in range(len(places), len(places) + SMALL):
            program = list(PROGRAMS)[number % 2]
            row = f"{program}: on a small file system that is full"
            yield Trial("disk", number, row, row, _mounted(reference, program))


def kind_of(path: str) -> str:
    kinds = {
        ".dvc/cache/files": "an object of the cache",
        "runs": "an entry of the run cache",
        "cache/.unfinished": "an entry of the run cache",
        "site/": "the state database",
        "tmp/": "a temporary file",
        "dvc.lock": "dvc.lock",
        "rwlock": "the rwlock",
        ".winnow/logs": "a log",
        ".winnow/": "unfinished work",
        "project/.": "DVC's other files",
    }
    return next((kind for part, kind in kinds.items() if part in path and "project/data" not in path), "an output")


def _injected(reference: Reference, program: str, path: str) -> Callable[[Random, Path], str]:
    def do(numbers: Random, box: Path) -> str:
        for attempt in range(TRIES):
            toy = small.copy(reference.new, box / f"{attempt}")
            at = 1 + int(numbers.random() * 0.5**attempt * reference.space(program)[path])
            fault = Fault("full", f"*/{path}", at)
            with fault.environment(toy.folder.parent) as environment:
                patience = 60 + 4 * reference.seconds[program]
                status, printed = small.run(toy, *PROGRAMS[program], patience=patience, **environment)
            if fault.happened(toy.folder.parent):
                return f"{told(toy, program, status, printed, reference)}; then {recovered(toy, reference.results)}"
        raise Lost(f"the moment never came in {TRIES} runs")

    return do


def _mounted(reference: Reference, program: str) -> Callable[[Random, Path], str]:
    def do(numbers: Random, box: Path) -> str:
        with small_file_system(box / "small") as folder:
            toy = small.copy(reference.new, folder / "toy")
            room = os.statvfs(folder)
            free = room.f_bavail * room.f_frsize
            filler = folder / "filler"
            filler.write_bytes(bytes(free - numbers.randrange(free // 3) // room.f_frsize * room.f_frsize))
            status, printed = small.run(toy, *PROGRAMS[program])
            what = told(toy, program, status, printed, reference)
            filler.unlink()
            return f"{what}; then {recovered(toy, reference.results)}"

    return do


@contextmanager
def small_file_system(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def told(toy: Toy, program: str, status: int, printed: str, reference: Reference) -> str:
    """How the run ended. Raises Lost if it did not say so, or if anything half-written has a final name."""
    if status == 0:
        if different := small.differences(small.results(toy), reference.results):
            raise Lost(f"exit status 0, but other bytes in {different}")
        return "went on without"
    if "Traceback" in printed and program == "make repro":
        raise Lost(f"a traceback: {printed}")
    if program == "dvc repro" and printed.endswith(small.HANGS):
        return "DVC hangs until it is killed"
    if not any(word in printed for word in FULL):
        if program == "dvc repro" and "ERROR: " in printed:
            return "DVC ends with another error: it cannot get, or release, its lock"
        raise Lost(f"exit status {status}, but no line says why: {printed}")
    half = [name for name, content in small.results(toy).items() if content != reference.results[name]]
    if half := [name for name in half if name != "dvc.lock"]:
        raise Lost(f"half-written: {half}")
    if damaged := small.damaged(toy):
        raise Lost(f"damaged in the cache: {damaged}")
    return "a line says so" if "Traceback" not in printed else "a line of DVC's says so, and a traceback"
