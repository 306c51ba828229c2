"""Jobs side by side: all are done, every failure is told, and no process is left behind."""

import json
import multiprocessing
import os
import signal
import time

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits
from tqdm import tqdm

from tests.training.small import contents, early
from winnow.errors import UserError
from winnow.progress import Bar
from winnow.training.workers import side_by_side


def run(work, jobs, processes: int) -> None:
    side_by_side(work, jobs, processes, Bar(len(jobs), "test"))


@pytest.mark.parametrize("processes", [1, 2, 3, 20])
@pytest.mark.parametrize("jobs", [0, 1, 2, 7])
def test_every_job_is_done_once(tmp_path, processes, jobs):
    def work(job: int, tick) -> None:
        with (tmp_path / str(job)).open("a") as file:
            file.write("x")
        tick(1)

    run(work, range(jobs), processes)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {str(job): "x" for job in range(jobs)}


@pytest.mark.parametrize("processes", [1, 2])
def test_every_library_has_one_thread(tmp_path, processes):
    def work(job: int, tick) -> None:
        blas = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
        (tmp_path / str(job)).write_text(f"{blas} {torch.get_num_threads()}")

    with threadpool_limits(2):
        run(work, range(2), processes)
        for job in range(2):
            blas, torchs = (tmp_path / str(job)).read_text().rsplit(" ", 1)
            assert set(json.loads(blas)) == {1}
            assert torchs == "1"


def test_jobs_run_at_the_same_time(tmp_path):
    def work(job: int, tick) -> None:
        (tmp_path / str(job)).touch()
        until = time.monotonic() + 20
        while not (tmp_path / str(1 - job)).exists():  # each waits for the other
            assert time.monotonic() < until
            time.sleep(0.01)

    run(work, [0, 1], processes=2)


@pytest.mark.parametrize("gpu", [True, False])
def test_a_job_alone_needs_no_process_of_its_own_but_beside_a_gpu(tmp_path, monkeypatch, gpu):
    """There, torch computes no gradients in a fork of a process that has computed some."""
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: gpu)
    run(lambda job, tick: (tmp_path / "process").write_text(f"{os.getpid()}") and None, [0], processes=2)
    assert ((tmp_path / "process").read_text() == f"{os.getpid()}") != gpu


def test_at_most_so_many_at_once(tmp_path):
    def work(job: int, tick) -> None:
        (tmp_path / f"{os.getpid()}").touch()
        time.sleep(0.02)

    run(work, range(9), processes=3)
    assert 1 <= len(list(tmp_path.iterdir())) <= 3
    assert str(os.getpid()) not in {path.name for path in tmp_path.iterdir()}


def test_the_bar_counts_the_ticks_of_all(monkeypatch):
    from winnow.training import workers

    bars = []
    monkeypatch.setattr(workers, "progress", lambda total, *_: bars.append(tqdm(total=total, initial=5)) or bars[-1])

    def work(job: int, tick) -> None:
        for _ in range(job):
            tick(2)

    for processes in (1, 3):
        side_by_side(work, [1, 2, 3, 4], processes, Bar(25, "test", done=5))
        assert (bars[-1].n, bars[-1].total) == (25, 25)


# Failures


@pytest.mark.parametrize("processes", [1, 2])
def test_a_mistake_of_the_user_arrives_as_it_is(processes):
    def work(job: int, tick) -> None:
        if job == 1:
            raise UserError("early.training.batch_size: ä is too much")

    with pytest.raises(UserError, match=r"^early\.training\.batch_size: ä is too much$"):
        run(work, range(3), processes)


def test_a_full_disk_is_told_in_a_line(user_error):
    def work(job: int, tick) -> None:
        raise OSError(28, "No space left on device", "data/early/x")

    with user_error("data/early/x: No space left on device"):
        run(work, range(2), processes=2)


@pytest.mark.parametrize("processes", [1, 2])
def test_what_a_kernel_refuses_arrives_as_it_is(processes):
    def work(job: int, tick) -> None:
        raise ValueError("k: 7 of 5")

    with pytest.raises(ValueError, match=r"^k: 7 of 5$") as caught:
        run(work, range(3), processes)
    assert processes == 1 or "test_workers.py" in str(caught.value.__cause__)


def test_any_other_error_arrives_with_its_traceback():
    def work(job: int, tick) -> None:
        raise ZeroDivisionError("of no use to a user")

    with pytest.raises(RuntimeError, match="of no use to a user") as caught:
        run(work, range(2), processes=2)
    assert "Traceback" in str(caught.value)
    assert "test_workers.py" in str(caught.value)
    assert "ZeroDivisionError" in str(caught.value)
    with pytest.raises(ZeroDivisionError, match="of no use"):
        run(work, range(2), processes=1)


def test_a_long_error_arrives_whole():
    """Longer than what a pipe holds, so the child must wait for the parent to read."""

    def work(job: int, tick) -> None:
        raise TypeError("x" * 300_000)

    with pytest.raises(RuntimeError, match=r"x{300000}"):
        run(work, range(2), processes=2)


@pytest.mark.parametrize("failure", ["user", "killed", "exit"])
def test_when_one_fails_the_others_stop(alive, user_error, failure):
    def work(job: int, tick) -> None:
        if job == 1:
            if failure == "user":
                raise UserError("failed")
            if failure == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            os._exit(3)
        time.sleep(60)

    texts = {
        "user": ["failed"],
        "killed": ["a training process ended with SIGKILL", "memory", "WINNOW_WORKERS=1"],
        "exit": ["a training process ended with status 3"],
    }
    begin = time.monotonic()
    with user_error(*texts[failure]):
        run(work, range(3), processes=3)
    assert alive.all_gone()
    assert time.monotonic() - begin < 10


def test_an_interruption_stops_all(alive, monkeypatch):
    """Ctrl-C, which reaches the parent while it waits."""
    from winnow.training import workers

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    sleep = time.sleep
    monkeypatch.setattr(workers.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(lambda job, tick: sleep(60), range(2), processes=2)
    assert alive.all_gone()


def test_no_child_outlives_a_killed_parent(alive):
    def work(job: int, tick) -> None:
        os.write(alive.holder, b"x")
        time.sleep(60)

    parent = multiprocessing.get_context("fork").Process(target=run, args=(work, range(2), 2))
    parent.start()
    assert alive.said(2) == b"xx"  # both children are at work
    os.kill(parent.pid, signal.SIGKILL)
    parent.join()
    assert alive.all_gone()


@pytest.mark.forks
def test_the_result_does_not_depend_on_the_number_of_processes(tmp_path):
    for processes in (1, 2, 3):
        folder = tmp_path / str(processes)
        run(lambda seed, tick, folder=folder: early(folder / f"seed{seed}", tick, seed) and None, [0, 1, 2], processes)
    one, two, three = (contents(tmp_path / str(processes)) for processes in (1, 2, 3))
    assert len(one) == 3 * 9
    assert one == two == three
