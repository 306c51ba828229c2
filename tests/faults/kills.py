"""Processes of a run are killed, at random moments and in the middle of what DVC and make repro write."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil

from tests.faults import small
from tests.faults.injected import Fault
from tests.faults.reference import Measured
from tests.faults.small import MAKE, PROGRAMS
from tests.faults.tried import Lost, Trial
from tests.repro.toy import Toy

# shell patterns of paths
MOMENTS = {
    "dvc.lock": "*dvc.lock*",
    "the rwlock": "*/.dvc/tmp/*rwlock*",
    "an entry of the run cache": "*/.dvc/cache/*runs/*",
    "an object of the cache": "*/.dvc/cache/files/*",
    ".gitignore": "*/.gitignore",
    "the state database": "*/site/*",
    "an output": "*/project/data/*",
    "unfinished work": "*/.winnow/*",
    "anything": "*",
}
WHO = {"group": "the process group", "first": "{program} alone", "self": "the process that writes"}
STAGE = "a process that it has started"
AT_RANDOM = "at a random moment"
TRIES = 6


def trials(reference: Measured, count: int | None = None, kind: str = "kill") -> Iterator[Trial]:
    """Every third at a random moment; each program, each victim and each moment in turn."""
    for number in range(count or 90):
        program = list(PROGRAMS)[number % 2]
        turn, third = divmod(number // 2, 3)
        moments = [moment for moment in MOMENTS if reference.count(program, MOMENTS[moment])]
        if third:
            place = 2 * turn + third - 1
            moment, who = moments[place % len(moments)], list(WHO)[(place + place // len(moments)) % len(WHO)]
            when = f"while it writes {moment}"
        else:
            moment, who = AT_RANDOM, ["group", "first", STAGE][turn % 3]
            when = AT_RANDOM
        what = WHO.get(who, who).format(program=program)
        trial = _trial(reference, program, who, moment)
        yield Trial(kind, number, f"{program}, {when}", f"{program}: {what} is killed {when}", trial)


def _trial(reference: Measured, program: str, who: str, moment: str) -> Callable[[Random, Path], str]:
    def do(numbers: Random, box: Path) -> str:
        changes = numbers.random() < 0.5 and moment != ".gitignore"  # which only a first run writes
        for attempt in range(TRIES):  # a run whose stages go side by side may be over before the moment comes
            toy, wanted = reference.begin(program, changes, box / f"{attempt}")
            far = numbers.random() * 0.8**attempt
            if moment == AT_RANDOM:
                killed = _at_random(toy, program, who, far * reference.seconds[program], numbers)
            else:
                at = 1 + int(far * reference.count(program, MOMENTS[moment]))
                killed = _in_a_write(toy, program, Fault(who, MOMENTS[moment], at))
            if killed:
                return recovered(toy, wanted)
        raise Lost(f"the moment never came in {TRIES} runs")

    return do


def _in_a_write(toy: Toy, program: str, fault: Fault) -> bool:
    box = toy.folder.parent
    with fault.environment(box) as environment:
        small.run(toy, *PROGRAMS[program], **environment)
    return fault.happened(box)


def _at_random(toy: Toy, program: str, who: str, seconds: float, numbers: Random) -> bool:
    with toy.start(*PROGRAMS[program], **small.environment(toy)) as process:
        begun = time.monotonic()
        while time.monotonic() - begun < seconds and process.poll() is None:
            time.sleep(0.01)
        killed = process.poll() is None and _kill(process.pid, who, numbers)
        process.communicate(timeout=small.PATIENCE)
    return killed


def _kill(process: int, who: str, numbers: Random) -> bool:
    if who == STAGE:
        below = psutil.Process(process).children(recursive=True)
        if not below:
            return False
        process = below[numbers.randrange(len(below))].pid
    with suppress(ProcessLookupError):
        (os.killpg if who == "group" else os.kill)(process, signal.SIGKILL)
    return True


def recovered(toy: Toy, wanted: dict[str, bytes]) -> str:
    """make repro, with nothing mended by hand. Says what it had to do; raises Lost unless all ends as undisturbed."""
    if left := small.left_over(toy):
        raise Lost(f"left over: {left}")
    status, printed = small.run(toy, *MAKE)
    if status:
        raise Lost(f"make repro ends with {status}: {printed}")
    if different := small.differences(small.results(toy), wanted):
        raise Lost(f"other bytes in {different}")
    if damaged := small.damaged(toy):
        raise Lost(f"damaged in the cache: {damaged}")
    if left := small.left_over(toy):
        raise Lost(f"left over by make repro: {left}")
    files = sorted(line.partition(":")[0] for line in printed.splitlines() if "half-written" in line)
    mending = f" mended {' and '.join(files)}, and" if files else ""
    return f"make repro{mending} went on; same bytes"
