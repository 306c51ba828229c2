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

from tests.pipeline.clone import Clone, command, ran
from winnow.storage import load_tensors

pytestmark = pytest.mark.pipeline

PATIENCE = 120.0  # seconds; on a quiet machine each wait takes about 3
OUTS = {"early@a": "data/early/a", "prune@l1": "data/tickets/l1"}  # each of two networks


# In the training loop of a clone, after each epoch and before the loop saves where it is. ``HELD``: every network is
# saved after two epochs, and then waits after the third, to be killed. ``GOING_ON``: nothing is trained again that was
# saved.
AFTER_AN_EPOCH = "            yield from part\n"
HELD = AFTER_AN_EPOCH + "        if group[0].epoch == 3:\n            time.sleep(100)\n"
GOING_ON = AFTER_AN_EPOCH + "        assert group[0].epoch > 2\n"
SAVES = "SECONDS_BETWEEN_SAVES = 1.0"


@pytest.fixture(scope="module")
def unfinished(finished: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which a cohort and a level are missing and DVC knows nothing of them."""
    clone = finished.copy(tmp_path_factory.mktemp("unfinished") / "clone")
    clone.forget(OUTS)
    change(clone, SAVES, "SECONDS_BETWEEN_SAVES = 0.0")
    change(clone, AFTER_AN_EPOCH, HELD)
    return clone


@pytest.fixture
def clone(unfinished: Clone, tmp_path: Path) -> Clone:
    return unfinished.copy(tmp_path / "clone")


def change(clone: Clone, old: str, new: str, file: str = "src/winnow/training/loop.py") -> None:
    text = clone.path(file).read_text()
    assert text.count(old) == 1
    clone.path(file).write_text(text.replace(old, new))


def start(clone: Clone, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it, as would these
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


def in_the_middle(clone: Clone, stage: str = "early@a") -> bool:
    """Whether both networks of a stage wait in their third epoch."""
    states = list(clone.path(f".winnow/{stage}").rglob("seed*.running/state.safetensors"))
    return [int(load_tensors(state, "progress")["progress"][0]) for state in states] == [2, 2]


def is_over(clone: Clone, stage: str = "early@a") -> bool:
    """Whether no process of the stage is left, for each holds the stage's lock."""
    with clone.path(f".winnow/{stage}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def assert_goes_on(clone: Clone, finished: Clone, stage: str = "early@a") -> None:
    """Nothing half-written lies among the outputs, and a new start does the rest, not all of it again."""
    there, missing = clone.files("data"), finished.files(*OUTS.values())
    assert there == {path: content for path, content in finished.files("data").items() if path not in missing}
    change(clone, HELD, GOING_ON)
    assert clone.repro("--single-item", stage) == [stage]
    assert clone.files("data") == there | finished.files(OUTS[stage])
    assert clone.files(f".winnow/{stage}") == {}


def test_the_whole_run_is_killed(clone: Clone, finished: Clone) -> None:
    with start(clone, "dvc", "repro", "--single-item", "prune@l1") as process:
        wait(lambda: in_the_middle(clone, "prune@l1"))
        os.killpg(process.pid, signal.SIGKILL)
    wait(lambda: is_over(clone, "prune@l1"))
    assert_goes_on(clone, finished, "prune@l1")


def test_a_training_without_labels_is_killed(clone: Clone, finished: Clone, tmp_path: Path) -> None:
    stage, out, cohort = "pretrain@p", "data/early/self-p", {"seeds": [500, 501], "network": "small", "training": "six"}
    whole = finished.copy(tmp_path / "whole")
    for each in (clone, whole):
        each.set("pretrain.cohorts", {"p": cohort})
    assert whole.stage(stage).returncode == 0
    with start(clone, *command(stage), DVC_STAGE=stage) as process:
        wait(lambda: in_the_middle(clone, stage))
        os.killpg(process.pid, signal.SIGKILL)
    wait(lambda: is_over(clone, stage))
    assert not clone.path(out).exists()
    change(clone, HELD, GOING_ON)
    assert clone.stage(stage).returncode == 0
    assert len(whole.files(out)) == 4
    assert clone.files(out) == whole.files(out)


def test_only_dvc_is_killed(clone: Clone, finished: Clone) -> None:
    """As a workstation does that is short of memory. What dvc had started must end, and not write on."""
    # a shell that would stay between dvc and the stage
    with start(clone, "dvc", "repro", "--single-item", "early@a", SHELL="/bin/sh") as process:
        wait(lambda: in_the_middle(clone))
        process.kill()
    # at once: a new start waits for the end of the old one
    assert_goes_on(clone, finished)


def test_one_training_process_is_killed(clone: Clone, finished: Clone) -> None:
    with start(clone, *command("early@a"), DVC_STAGE="early@a") as process:
        wait(lambda: in_the_middle(clone))
        psutil.Process(process.pid).children()[1].kill()
        printed = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 1
    assert [line for line in printed.splitlines() if line.startswith("error: ")] == printed.splitlines()[-1:]
    assert "SIGKILL" in printed
    assert "WINNOW_WORKERS=1" in printed
    assert "Traceback" not in printed
    assert_goes_on(clone, finished)


def test_a_second_start_beside_the_first_is_refused(clone: Clone) -> None:
    change(clone, "LOCK_SECONDS = 10", "LOCK_SECONDS = 1", "src/winnow/stages/_stage.py")
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
    assert "interrupted; make repro, or dvc repro, goes on from here" in printed
    assert "Traceback" not in printed
    wait(lambda: is_over(clone))
    assert not clone.path("data/early/a").exists()
