"""Processes of a run are killed, at random moments and in the middle of what DVC and make repro write."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil
import small
from injected import Fault
from reference import Reference
from small import MAKE, PROGRAMS
from toy import PATIENCE, Toy
from tried import Lost, Trial

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
STAGE = "a process of a stage"
AT_RANDOM = "at a random moment"
TRIES = 6


def trials(reference: Reference, count: int | None = None) -> Iterator[Trial]:
    """Every third at a random moment; each program, each victim and each moment in turn."""
    for number in range(count or 90):
        program = list(PROGRAMS)[number % 2]
        turn, kind = divmod(number // 2, 3)
        if kind:
            place = 2 * turn + kind - 1
            moment, who = list(MOMENTS)[place % len(MOMENTS)], list(WHO)[(place + place // len(MOMENTS)) % len(WHO)]
            what = f"{WHO[who]}, while it writes {moment}"
        else:
            moment, who = AT_RANDOM, ["group", "first", STAGE][turn % 3]
            what = f"{WHO.get(who, who)}, {AT_RANDOM}"
        what = f"{program}: {what.format(program=program)}"
        yield Trial("kill", number, what, _trial(reference, program, who, moment))


def _trial(reference: Reference, program: str, who: str, moment: str):
    def do(numbers: Random, box: Path) -> str:
        changes = numbers.random() < 0.5 and moment != ".gitignore"  # which only a first run writes
        for attempt in range(TRIES):  # a run whose stages go side by side may be over before the moment comes
            begun = reference.finished[program] if changes else reference.new
            toy = small.copy(begun, box / f"{attempt}")
            if changes:
                small.change(toy)
            far = numbers.random() * 0.8**attempt
            kill = _at_random if moment == AT_RANDOM else _in_a_write
            if kill(toy, reference, program, who, moment, far):
                return recovered(toy, reference.changed if changes else reference.results)
        raise Lost(f"the moment never came in {TRIES} runs")

    return do


def _in_a_write(toy: Toy, reference: Reference, program: str, who: str, moment: str, far: float) -> bool:
    box, pattern = toy.folder.parent, MOMENTS[moment]
    fault = Fault(who, pattern, 1 + int(far * reference.count(program, pattern)))
    with fault.environment(box) as environment:
        small.run(toy, *PROGRAMS[program], **environment)
    return fault.happened(box)


def _at_random(toy: Toy, reference: Reference, program: str, who: str, _: str, far: float) -> bool:
    with toy.start(*PROGRAMS[program], **small.environment(toy)) as process:
        begun = time.monotonic()
        while time.monotonic() - begun < far * reference.seconds[program] and process.poll() is None:
            time.sleep(0.01)
        killed = _kill(process, toy, who)
        process.communicate(timeout=PATIENCE)
    return killed


def _kill(process: "subprocess.Popen[str]", toy: Toy, who: str) -> bool:
    if process.poll() is not None:
        return False
    if who == STAGE:
        below = psutil.Process(process.pid).children(recursive=True)
        stages = [child for child in below if "work" in child.cmdline()]
        for child in stages[:1]:
            child.kill()
        return bool(stages)
    with suppress(ProcessLookupError):
        (os.killpg if who == "group" else os.kill)(process.pid, signal.SIGKILL)
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
