"""Stages as forks of a process that has imported the libraries: what they do, and with whom they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.repro.toy import SRC, wait
from winnow.repro.launch import Command, Launcher

STAGE = """
import os, sys, time
loaded = "torch" in sys.modules  # by whom it was forked from; nothing here imports it
print(sys.argv[1:], os.environ["GIVEN"], "PATH" in os.environ, __name__, loaded, flush=True)
if sys.argv[1] == "fail":
    sys.exit("error: as asked")
while sys.argv[1] == "wait":
    time.sleep(0.02)
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "stage_of_test.py").write_text(STAGE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def make(text: str) -> Command:
        return Command(text, tmp_path / "log", {"GIVEN": "this", "PYTHONPATH": str(tmp_path)})

    return make


def ended(running) -> int:
    wait(lambda: running.ended() is not None)
    return running.ended()


PROGRAM = """
import os, time
from pathlib import Path
from winnow.repro.launch import Command, Launcher
launcher = Launcher()
running = launcher.start(Command("exec python -B -m stage_of_test wait", Path("log"), dict(os.environ, GIVEN="this")))
while not Path("log").exists() or not Path("log").read_text():
    time.sleep(0.02)
print(running._process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("temporary", ["short", "long" * 25])  # sockets have paths of a hundred bytes
def test_a_fork_has_its_arguments_its_environment_and_the_libraries(command, tmp_path: Path, temporary: str) -> None:
    (tmp_path / temporary).mkdir()
    program = PROGRAM.replace('stage_of_test wait"', 'stage_of_test a b"').replace("time.sleep(600)", "")
    program += "while running.ended() is None: time.sleep(0.02)\nprint(running.ended())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{SRC}:{tmp_path}", "TMPDIR": str(tmp_path / temporary)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[1] == "0", done.stderr
    assert list((tmp_path / temporary).iterdir()) == []
    assert Path("log").read_text() == "['a', 'b'] this True __main__ True\n"


def test_a_fork_that_is_stopped_before_it_has_begun_never_does(command, tmp_path: Path) -> None:
    program = PROGRAM[: PROGRAM.index("while")] + "running.stop()\ntime.sleep(0.1)\n"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(SRC)}, check=True)
    assert not Path("log").exists()


@pytest.mark.parametrize("text", ["exec python -B -m stage_of_test fail", "echo 'error: as asked' && exit 1"])
def test_a_failure_is_told_by_its_status(command, text: str) -> None:
    launcher = Launcher()  # held here: what it has started ends with it
    running = launcher.start(Command(text, Path("log"), {**os.environ, **command(text).environment}))
    assert ended(running) == 1
    assert "error: as asked" in Path("log").read_text()


def test_a_fork_ends_with_the_process_that_asked_for_it(command, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{SRC}:{tmp_path}"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        fork = int(process.stdout.readline())
        process.kill()
    begun = time.monotonic()
    wait(lambda: not psutil.pid_exists(fork))
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("how", ["it is stopped", "its guard is killed", "all that holds the pipe is killed"])
def test_a_command_ends_with_all_that_it_has_started(command, how: str) -> None:
    launcher = Launcher()
    running = launcher.start(Command("sleep 600 & sleep 600", Path("log"), dict(os.environ)))
    guard = psutil.Process(running._process.pid)
    wait(lambda: len(guard.children(recursive=True)) == 4)  # a shell, what it started, and who watches the pipe
    below = guard.children(recursive=True)
    if how == "it is stopped":
        running.stop()
    else:
        guard.kill()
    if how == "all that holds the pipe is killed":  # as by Ray: nobody asks whether it has ended
        launcher._lifeline[1].close()
    else:
        assert ended(running) == -signal.SIGKILL
    assert psutil.wait_procs(below, timeout=20)[1] == []
