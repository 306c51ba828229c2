"""A run that was killed goes on where it was, and ends in the same bytes as one that was not."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from clone import Clone, command, ran

from winnow.training.loop import finished_epochs

pytestmark = pytest.mark.pipeline

PATIENCE = 120.0  # seconds; on a quiet machine each wait takes about 3


@pytest.fixture(scope="module")
def longer(finished: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with a training that lasts some seconds, which has not run."""
    clone = finished.copy(tmp_path_factory.mktemp("longer") / "clone")
    clone.set("early.training.length", "200 epochs")
    clone.set("early.epochs", [0, 2, 6, 200])
    return clone


@pytest.fixture(scope="module")
def uninterrupted(longer: Clone, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    clone = longer.copy(tmp_path_factory.mktemp("uninterrupted") / "clone")
    assert clone.repro("--single-item", "early@a") == ["early@a"]
    return clone.files("data")


@pytest.fixture
def clone(longer: Clone, tmp_path: Path) -> Clone:
    return longer.copy(tmp_path / "clone")


def start(clone: Clone, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        arguments,
        cwd=clone.folder,
        env=clone.environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait(for_what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not for_what():
        assert time.monotonic() < end
        time.sleep(0.01)


def in_the_middle(clone: Clone) -> bool:
    """Whether both seeds of cohort a have been trained for some epochs, and one has saved where it is since."""
    running = list(clone.path(".winnow/early@a").glob("*/seed*.running"))
    states = [folder / "state.safetensors" for folder in running]
    begun = [folder / "epoch6.safetensors" for folder in running]
    return (
        len(running) == 2
        and all(file.exists() for file in begun)
        and any(
            state.exists() and state.stat().st_mtime > file.stat().st_mtime
            for state, file in zip(states, begun, strict=True)
        )
    )


def is_over(clone: Clone, stage: str = "early@a") -> bool:
    """Whether no process of the stage is left, for each holds the stage's lock."""
    with clone.path(f".winnow/{stage}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def assert_goes_on(clone: Clone, uninterrupted: dict[str, bytes]) -> None:
    """Nothing half-written lies among the outputs, and a new start does the rest, not all of it again."""
    assert not clone.path("data/early/a").exists()
    assert set(clone.files("data")) < set(uninterrupted)
    begun = {path: path.stat().st_mtime_ns for path in clone.path(".winnow").rglob("epoch[026].safetensors")}
    assert clone.repro("--single-item", "early@a") == ["early@a"]
    assert clone.files("data") == uninterrupted
    kept = {path.name: path.stat().st_mtime_ns for path in clone.path("data/early/a").rglob("epoch0.safetensors")}
    assert set(kept.values()) <= set(begun.values())
    assert clone.files(".winnow/early@a") == {}


def test_the_whole_run_is_killed(clone: Clone, uninterrupted: dict[str, bytes]) -> None:
    with start(clone, "dvc", "repro", "--single-item", "early@a") as process:
        wait(lambda: in_the_middle(clone))
        os.killpg(process.pid, signal.SIGKILL)
    wait(lambda: is_over(clone))
    assert_goes_on(clone, uninterrupted)


def test_a_level_of_pruning_is_killed(clone: Clone) -> None:
    clone.set("dense.training.length", "200 epochs")  # of the dense networks only their outputs are read
    uninterrupted = clone.copy(clone.folder.with_name("uninterrupted"))
    assert uninterrupted.stage("imp@l1").returncode == 0

    def seeds_in_the_middle() -> list[Path]:
        running = clone.path(".winnow/imp@l1").glob("*/level/seed*.running/state.safetensors")
        return [state.parent for state in running if finished_epochs(state.parent) > 1]

    with start(clone, "dvc", "repro", "--single-item", "imp@l1") as process:
        wait(lambda: len(seeds_in_the_middle()) == 2)
        os.killpg(process.pid, signal.SIGKILL)
    wait(lambda: is_over(clone, "imp@l1"))
    assert not clone.path("data/tickets/l1").exists()
    assert min(map(finished_epochs, seeds_in_the_middle())) > 1  # which the new start does not do again
    assert clone.repro("--single-item", "imp@l1") == ["imp@l1"]
    assert clone.files("data") == uninterrupted.files("data")
    assert clone.files(".winnow/imp@l1") == {}


def test_only_dvc_is_killed(clone: Clone, uninterrupted: dict[str, bytes]) -> None:
    """As a workstation does that is short of memory. What dvc had started must end, and not write on."""
    # a shell that would stay between dvc and the stage
    with start(clone, "dvc", "repro", "--single-item", "early@a", SHELL="/bin/sh") as process:
        wait(lambda: in_the_middle(clone))
        process.kill()
    # at once: a new start waits for the end of the old one
    assert_goes_on(clone, uninterrupted)


def test_one_training_process_is_killed(clone: Clone, uninterrupted: dict[str, bytes]) -> None:
    clone.do("rm", "-r", "data/early/a")  # as dvc does before it starts a stage
    with start(clone, *command("early@a"), DVC_STAGE="early@a") as process:
        wait(lambda: in_the_middle(clone))
        psutil.Process(process.pid).children()[1].kill()
        printed = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 1
    assert [line for line in printed.splitlines() if line.startswith("error: ")] == printed.splitlines()[-1:]
    assert "SIGKILL" in printed
    assert "WINNOW_WORKERS=1" in printed
    assert "Traceback" not in printed
    assert_goes_on(clone, uninterrupted)


def test_a_second_start_beside_the_first_is_refused(clone: Clone) -> None:
    script = clone.path("stages/_stage.py")
    patience = "LOCK_SECONDS = 10"
    assert patience in script.read_text()
    script.write_text(script.read_text().replace(patience, "LOCK_SECONDS = 1"))
    clone.path(".winnow").mkdir(exist_ok=True)
    with clone.path(".winnow/early@a.lock").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        second = clone.stage("early@a")
    assert second.returncode == 1
    assert second.stdout.startswith("error: early@a is still running")
    assert len(second.stdout.splitlines()) == 1


def test_ctrl_c_stops_a_run_without_a_traceback(clone: Clone) -> None:
    with start(clone, "dvc", "repro", "--single-item", "early@a") as process:
        wait(lambda: in_the_middle(clone))
        os.killpg(process.pid, signal.SIGINT)
        printed = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode != 0
    assert ran(printed) == ["early@a"]
    assert "interrupted; dvc repro goes on from here" in printed
    assert "Traceback" not in printed
    wait(lambda: is_over(clone))
    assert not clone.path("data/early/a").exists()
