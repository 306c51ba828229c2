"""Independent jobs: on the CPU in parallel, in one single-threaded process per core; on any other device one by one.

A convolution of a small network does not keep two cores busy, but two networks do. With one thread each, the result
does not depend on how many cores the machine has.
"""

import json
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import torch
from threadpoolctl import threadpool_limits

from winnow import cores
from winnow.errors import UserError, describe
from winnow.orphans import end_with_parent
from winnow.progress import progress
from winnow.training.memory import keep_freed_memory

Job = TypeVar("Job")
Tick = Callable[[int], None]  # call it with the number of steps just done


def side_by_side(
    work: Callable[[Job, Tick], None],
    jobs: Sequence[Job],
    processes: int,
    steps: int,
    label: str,
    unit: str = "step",
    done: int = 0,
) -> None:
    """Call ``work(job, tick)`` for every job, at most ``processes`` at once, under one progress bar of ``steps`` units
    that starts at ``done``. Jobs begin in their order, each as soon as a process is free.

    Results go to files: a job returns nothing. Raises what a job raises (a UserError or ValueError unchanged), and
    UserError if a process is killed from outside; the other processes are then stopped.

    If other stages share the cores (winnow.cores), a process waits for a core before each job.
    """
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")  # of numpy and scipy
    keep_freed_memory()
    with progress(steps, label, unit, done) as bar:
        if min(processes, len(jobs)) == 1:
            for job in jobs:
                work(job, lambda n: bar.update(n) and None)
        else:
            _fork(work, jobs, min(processes, len(jobs)), bar)


def _fork(work: Callable[[Job, Tick], None], jobs: Sequence[Job], processes: int, bar: Any) -> None:
    # fork, not spawn: the children share the images' memory and need not import torch again (2 s each). The fork is
    # safe because the parent has not started a thread of torch yet.
    context = multiprocessing.get_context("fork")
    next_job, done = context.Value("l", 0), context.Value("l", int(bar.n))
    reports = []
    children = []
    cores.give_back()  # to the children: this process only waits
    for _ in range(processes):
        receive, send = context.Pipe(duplex=False)
        child = context.Process(target=_child, args=(work, jobs, next_job, done, send, os.getpid()), daemon=True)
        child.start()
        send.close()
        reports.append(receive)
        children.append(child)
    try:
        while any(child.is_alive() for child in children):
            time.sleep(0.05)
            bar.update(done.value - bar.n)
            for child, report in zip(children, reports, strict=True):
                _raise_failure(child, report)
        for child, report in zip(children, reports, strict=True):
            child.join()
            _raise_failure(child, report)
        bar.update(done.value - bar.n)
    finally:
        for child in children:
            child.kill()
            child.join()
        cores.take()


def _raise_failure(child: Any, report: Connection) -> None:
    if report.poll():
        try:
            kind, text = json.loads(report.recv_bytes())
        except EOFError:  # the child has ended without a report
            kind, text = "", ""
        if kind == "user":
            raise UserError(text)
        if kind == "value":
            message, trace = json.loads(text)
            raise ValueError(message) from RuntimeError(f"in a training process:\n{trace}")
        if kind:
            raise RuntimeError(f"in a training process:\n{text}")
    if child.exitcode not in (None, 0):
        name = signal.Signals(-child.exitcode).name if child.exitcode < 0 else f"status {child.exitcode}"
        raise UserError(
            f"a training process ended with {name}, perhaps for want of memory: "
            "try again, with WINNOW_WORKERS=1 if need be"
        )


def _child(
    work: Callable[[Job, Tick], None], jobs: Sequence[Job], next_job: Any, done: Any, report: Connection, parent: int
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which stops its children
    end_with_parent(parent)

    def tick(steps: int) -> None:
        with done.get_lock():
            done.value += steps

    try:
        while True:
            cores.take()
            with next_job.get_lock():
                index = next_job.value
                next_job.value += 1
            if index >= len(jobs):
                return
            work(jobs[index], tick)
            cores.give_back()
    except UserError as error:
        _say(report, "user", str(error))
    except OSError as error:
        _say(report, "user", describe(error))
    except ValueError as error:  # of a kernel: the caller knows what it means
        _say(report, "value", json.dumps([str(error), traceback.format_exc()]))
    except Exception:
        _say(report, "error", traceback.format_exc())


def _say(report: Connection, kind: str, text: str) -> None:
    report.send_bytes(json.dumps([kind, text]).encode())
