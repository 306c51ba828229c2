"""Where a stage's work runs: today in processes of this machine.

Another place, such as a cluster, needs a function like ``Launcher.start``, which gives something with ``ended`` and
``stop``.
"""

import contextlib
import multiprocessing
import os
import runpy
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

SCRIPT = ["exec", "python", "-m"]  # how the command of one of our own stages begins
GUARD = str(Path(__file__).with_name("guard.py"))


class Running(Protocol):
    """A stage that runs."""

    def ended(self) -> int | None:
        """Its exit status, or None as long as it runs; minus the signal, if one ended it."""

    def stop(self) -> None:
        """End it at once, with all that it has started."""


@dataclass(frozen=True)
class Command:
    """What to run, where its output goes, and its whole environment."""

    text: str
    log: Path
    environment: Mapping[str, str]


class Launcher:
    """Starts commands: those of our own stages as forks of one process that has imported torch and the other libraries
    already, which takes seconds; all others, and those that start before it is ready, as DVC does it."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["winnow.repro.preload"])
        self._ready = threading.Event()
        self._lifeline = self._context.Pipe(duplex=False)  # closes when this process ends, however it ends
        self._warming: threading.Thread | None = None

    def start(self, command: Command) -> Running:
        words = shlex.split(command.text)
        if words[: len(SCRIPT)] != SCRIPT:
            return _Program(command, self._lifeline[0])
        if self._warming is None:
            self._warming = threading.Thread(target=self._warm_up, daemon=True)
            self._warming.start()
        if not self._ready.is_set():
            return _Program(command, self._lifeline[0])
        return _Fork(self._context, words[len(SCRIPT) :], command, self._lifeline[0])

    def _warm_up(self) -> None:
        first = self._context.Process(target=os.getpid)
        first.start()
        first.join()
        self._ready.set()


class _Program:
    """A command in a shell, as DVC runs it, under a guard that ends it when this process ends."""

    def __init__(self, command: Command, lifeline: Connection) -> None:
        shell = os.environ.get("SHELL") or "/bin/sh"
        with command.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", GUARD, shell, command.text],
                stdin=lifeline.fileno(),
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(command.environment),
                start_new_session=True,  # so that all that the command starts can be ended together
            )

    def ended(self) -> int | None:
        status = self._process.poll()
        if status is not None and status < 0:
            self._end_all()  # if the guard was killed, its command goes on
        return status

    def stop(self) -> None:
        self._end_all()
        self._process.wait()

    def _end_all(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


class _Fork:
    """A stage's script in a copy of the process that has imported the libraries."""

    def __init__(self, context: Any, words: list[str], command: Command, lifeline: Connection) -> None:
        given = (words, str(command.log), dict(command.environment), lifeline)
        self._process = context.Process(target=run_script, args=given)
        self._process.start()

    def ended(self) -> int | None:
        return self._process.exitcode

    def stop(self) -> None:
        self._process.kill()
        self._process.join()


def run_script(words: list[str], log: str, environment: dict[str, str], lifeline: Connection) -> None:
    """``python -m WORDS`` in this process, which ends when the other end of the lifeline does: its parent is not the
    process that started it, but the one that it is a fork of."""

    def watch() -> None:
        with contextlib.suppress(EOFError, OSError):
            lifeline.recv_bytes()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (1, 2):
        os.dup2(file, stream)
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
