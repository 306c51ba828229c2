"""Independent jobs: on the CPU side by side, one single-threaded process per core, on any other device one by one.

A convolution of a small network does not keep two cores busy, two networks do; and with one thread each the result does
not depend on how many cores the machine has.
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
from winnow.progress import Bar, progress
from winnow.ranks import follows
from winnow.training.memory import keep_freed_memory

Job = TypeVar("Job")
Tick = Callable[[int], None]  # call it with the number of steps just done


def side_by_side(
    work: Callable[[Job, Tick], None],
    jobs: Sequence[Job],
    processes: int,
    bar: Bar,
) -> None:
    """Call ``work(job, tick)`` for every job, at most ``processes`` at once, under one progress bar. Jobs begin in
    their order, each when a process has nothing else to do.

    Results go to files: a job returns nothing. Raises what a job raises (a UserError or ValueError as it is), and
    UserError if a process is killed from outside; the others are stopped then.

    Where the cores are shared with other stages (winnow.cores), a process waits for a core before each job. A process
    that follows another (winnow.ranks) leaves all to it.
    """
    if follows():
        return
    one_thread()
    with progress(*bar) as shown:
        if processes == 1 or (len(jobs) == 1 and not torch.accelerator.is_available()):
            for job in jobs:
                work(job, lambda n: shown.update(n) and None)
        else:
            _fork(work, jobs, min(processes, len(jobs)), shown)


def one_thread() -> None:
    """Let this process compute on one thread from now on, and keep the memory that it frees."""
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")  # of numpy and scipy
    keep_freed_memory()


def _fork(work: Callable[[Job, Tick], None], jobs: Sequence[Job], processes: int, bar: Any) -> None:
    # fork, not spawn: the children share the images' memory and need not import torch again (2 s each). No thread of
    # torch has been started in the parent at this point, which is what makes a fork safe. Where torch sees a GPU, it
    # starts threads at the first gradient, even of the CPU: so there one job alone has a process of its own too.
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
        watch(children, reports, "try again, with WINNOW_WORKERS=1 if need be", lambda: bar.update(done.value - bar.n))
    finally:
        cores.take()


def watch(
    children: Sequence[Any], reports: Sequence[Connection], advice: str, meanwhile: Callable[[], Any] = lambda: None
) -> None:
    """Wait until these processes have ended, and raise what the first that fails has said (``say``), or UserError with
    the advice if it was killed. Whatever happens, none is left."""
    try:
        while any(child.is_alive() for child in children):
            time.sleep(0.05)
            meanwhile()
            for child, report in zip(children, reports, strict=True):
                _raise_failure(child, report, advice)
        for child, report in zip(children, reports, strict=True):
            child.join()
            _raise_failure(child, report, advice)
        meanwhile()
    finally:
        for child in children:
            child.kill()
            child.join()


def _raise_failure(child: Any, report: Connection, advice: str) -> None:
    if report.poll():
        try:
            kind, text = json.loads(report.recv_bytes())
        except EOFError:  # the child has ended and said nothing
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
        raise UserError(f"a training process ended with {name}, perhaps for want of memory: {advice}")


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
        say(report, "user", str(error))
    except OSError as error:
        say(report, "user", describe(error))
    except ValueError as error:  # of a kernel: who called knows what it means
        say(report, "value", json.dumps([str(error), traceback.format_exc()]))
    except Exception:
        say(report, "error", traceback.format_exc())


def say(report: Connection, kind: str, text: str) -> None:
    """Tell the process that watches what went wrong. kind: user, of a UserError; value, of a ValueError, with a json of
    its message and its traceback; or error, with a traceback."""
    report.send_bytes(json.dumps([kind, text]).encode())
