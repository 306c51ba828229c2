import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from winnow import cores


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two cores."""
    folder = tmp_path / "cores"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}").touch()
    monkeypatch.setenv(cores.FOLDER, str(folder))
    return folder


def work(at_once, most, seconds: float) -> None:
    cores.take()
    with at_once.get_lock():
        at_once.value += 1
        most.value = max(most.value, at_once.value)
    time.sleep(seconds)
    with at_once.get_lock():
        at_once.value -= 1
    cores.give_back()


def start(count: int, seconds: float):
    context = multiprocessing.get_context("fork")
    at_once, most = context.Value("i", 0), context.Value("i", 0)
    processes = [context.Process(target=work, args=(at_once, most, seconds)) for _ in range(count)]
    for process in processes:
        process.start()
    return processes, at_once, most


def test_no_more_compute_at_once_than_there_are_cores(folder):
    processes, _, most = start(6, 0.05)  # that two do compute at once is seen below
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 6
    assert most.value in (1, 2)


def test_a_process_that_is_killed_gives_its_core_back(folder):
    processes, at_once, _ = start(2, 60)
    while at_once.value < 2:
        time.sleep(0.01)
    for process in processes:
        os.kill(process.pid, signal.SIGKILL)
    cores.take()
    cores.give_back()
    for process in processes:
        process.join()


def test_a_core_is_taken_once_only_and_without_a_folder_none_is_needed(folder, monkeypatch):
    cores.take()
    cores.take()
    assert len(cores._held) == 1
    cores.give_back()
    assert cores._held == []
    monkeypatch.delenv(cores.FOLDER)
    cores.take()
    assert cores._held == []
