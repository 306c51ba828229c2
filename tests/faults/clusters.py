"""Nodes of a cluster are killed, and the head, at random moments of a run there."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

from tests.faults import small
from tests.faults.kills import recovered
from tests.faults.reference import Measured
from tests.faults.small import MAKE
from tests.faults.tried import Lost, Trial
from tests.repro.nodes import SETTINGS, Nodes, nodes
from tests.repro.toy import Toy

NODE, HEAD, RUN, RAY = "a node", "the head, with Ray's head and make repro", "make repro alone", "Ray's head alone"
VICTIMS = (NODE, HEAD, NODE, RUN, NODE, RAY)
GAP = (10.0, 60.0)  # seconds between kills, where there are several
MOST = 12  # kills in one run


def trials(reference: Measured, count: int | None = None, kind: str = "cluster") -> Iterator[Trial]:
    """One kill in each run."""
    seconds = _undisturbed(reference)
    for number in range(count or 30):
        victim = VICTIMS[number % len(VICTIMS)]
        what = f"make repro on two nodes: {victim} is killed at a random moment"
        yield Trial(kind, number, what, what, _once(reference, victim, seconds))


def several(reference: Measured, count: int | None = None, kind: str = "cluster-default") -> Iterator[Trial]:
    """A kill every half minute or so, until the run has ended."""
    for number in range(count or 5):
        what = "make repro on two nodes: a node, make repro or the head is killed again and again"
        yield Trial(kind, number, what, what, _again_and_again(reference))


def _undisturbed(reference: Measured) -> float:
    """The seconds of a run on two nodes, in which nothing is killed."""
    toy, wanted = reference.begin("make repro", False, Path(tempfile.mkdtemp()) / "toy")
    with _two(toy) as cluster:
        begun = time.monotonic()
        _finish(_start(toy, cluster), toy, wanted)
        seconds = time.monotonic() - begun
    shutil.rmtree(toy.folder.parents[1])
    return seconds


def _once(reference: Measured, victim: str, seconds: float) -> Callable[[Random, Path], str]:
    def do(numbers: Random, box: Path) -> str:
        toy, wanted = reference.begin("make repro", numbers.random() < 0.5, box / "toy")
        with _two(toy) as cluster:
            run = _start(toy, cluster)
            time.sleep(numbers.random() * seconds)
            run = _kill(victim, run, toy, cluster, numbers)
            printed = _finish(run, toy, wanted)
        went_on = "; a stage went on elsewhere" if "goes on elsewhere" in printed else ""
        return f"finished, same bytes{went_on}; {recovered(toy, wanted)}"

    return do


def _again_and_again(reference: Measured) -> Callable[[Random, Path], str]:
    def do(numbers: Random, box: Path) -> str:
        toy, wanted = reference.begin("make repro", False, box / "toy")
        killed: list[str] = []
        with _two(toy) as cluster:
            run = _start(toy, cluster)
            while len(killed) < MOST:
                with suppress(subprocess.TimeoutExpired):
                    run.wait(numbers.uniform(*GAP))
                    break
                killed.append(numbers.choice(VICTIMS))
                run = _kill(killed[-1], run, toy, cluster, numbers)
            _finish(run, toy, wanted)
        return f"{len(killed)} kills, {killed.count(HEAD)} of the head; finished, same bytes; {recovered(toy, wanted)}"

    return do


@contextmanager
def _two(toy: Toy) -> Iterator[Nodes]:
    """Two nodes of one core, whose processes count as the project's if they are left over."""
    with (
        tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder,  # sockets need a short path
        nodes(Path(folder, "r")) as cluster,
    ):
        for _ in range(2):
            cluster.add(**small.environment(toy))
        yield cluster


def _start(toy: Toy, cluster: Nodes) -> subprocess.Popen[str]:
    return toy.start(*MAKE, WINNOW_CLUSTER=cluster.address, **SETTINGS, **small.environment(toy))


def _kill(victim: str, run: subprocess.Popen[str], toy: Toy, cluster: Nodes, numbers: Random) -> subprocess.Popen[str]:
    """Kill, and start again what a user would. Returns the run that goes on."""
    if victim == NODE:
        others = [number for number in cluster.alive() if number != cluster.head]
        if others:
            cluster.kill(numbers.choice(others))
        cluster.add(**small.environment(toy))
        return run
    if victim != RAY:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    if victim != RUN:
        cluster.kill(cluster.head)
        if victim == RAY and run.communicate(timeout=small.PATIENCE)[0] and run.returncode == 0:
            return run  # it had ended before
        for _ in range(2):  # the node that is left ends by itself
            cluster.add(**small.environment(toy))
    return _start(toy, cluster)


def _finish(run: subprocess.Popen[str], toy: Toy, wanted: dict[str, bytes]) -> str:
    printed = run.communicate(timeout=small.PATIENCE)[0]
    if run.returncode:
        raise Lost(f"make repro ends with {run.returncode}: {printed}")
    if different := small.differences(small.results(toy), wanted):
        raise Lost(f"other bytes in {different}")
    return printed
