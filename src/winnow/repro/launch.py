"""Starts the commands of stages, as processes of this machine.

To run stages elsewhere, write a function like ``Launcher.start``, which returns an object with ``ended`` and ``stop``.
``winnow.repro.cluster`` does that.
"""

import contextlib
import multiprocessing
import os
import runpy
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import forkserver, util
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from winnow.repro.away import Freight

SCRIPT = ["exec", "python", "-B", "-m"]  # how the command of one of our own stages begins
LIGHT = ("winnow.stages.check",)  # our own stages that do not import torch
SOCKET_PATH = 103  # bytes that every system takes
GUARD = str(Path(__file__).with_name("guard.py"))


class Running(Protocol):
    """A stage that runs."""

    def ended(self) -> int | None:
        """Its exit status, or None while it runs; minus the signal, if a signal ended it."""

    def stop(self) -> None:
        """End it at once, with everything that it has started."""


@dataclass(frozen=True)
class Command:
    """What to run, where its output goes, its whole environment, and the folder to run in.

    freight: what it needs on another node. computes: whether it is a stage of ours that computes with networks.
    """

    text: str
    log: Path
    environment: Mapping[str, str]
    folder: Path = Path()
    freight: "Callable[[], Freight] | None" = None
    computes: bool = False


class Launcher:
    """Starts commands. Our own stages start as forks of one process that has already imported torch. The import takes
    seconds, and the first stages wait for it. Stages without torch, and all other commands, start as in DVC."""

    def __init__(self) -> None:
        _leave_room_for_sockets()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["winnow.repro.preload"])
        self._lifeline = self._context.Pipe(duplex=False)  # closes when this process ends, even if it is killed

    def start(self, command: Command) -> Running:
        script = script_of(command.text)
        if script:
            forkserver.ensure_running()  # it imports in the meantime
        if not script or script[0] in LIGHT:
            return _Program(command, self._lifeline[0])
        return _Fork(self._context, script, command, self._lifeline[0])


def _leave_room_for_sockets() -> None:
    """Let multiprocessing put its sockets below /tmp if their paths would be too long in TMPDIR: a cluster may give
    each job a folder of its own, far down."""
    chosen, longest = tempfile.tempdir, len("/pymp-12345678/listener-12345678")
    if len(os.fsencode(tempfile.gettempdir())) + longest <= SOCKET_PATH:
        return
    tempfile.tempdir = "/tmp"  # noqa: S108 (the folder below it is new, and this user's alone)
    util.get_temp_dir()  # makes it, and keeps to it
    tempfile.tempdir = chosen


def script_of(text: str) -> list[str]:
    """The module and the arguments of the command of one of our own stages; none for other commands."""
    words = shlex.split(text)
    return words[len(SCRIPT) :] if words[: len(SCRIPT)] == SCRIPT else []


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
                cwd=command.folder,
                start_new_session=True,  # so that everything the command starts can be ended together
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
    """A stage's script in a fork of the process that has imported the libraries."""

    def __init__(self, context: Any, words: list[str], command: Command, lifeline: Connection) -> None:
        given = (words, str(command.log.absolute()), dict(command.environment), str(command.folder), lifeline)
        self._process = context.Process(target=run_script, args=given)
        self._instead: _Program | None = None
        self._stopped = False

        def begin() -> None:
            try:
                self._process.start()  # waits until the libraries are imported
            except (OSError, EOFError):  # the process to fork was killed
                self._instead = _Program(command, lifeline)
            if self._stopped:
                self.stop()

        threading.Thread(target=begin, daemon=True).start()

    def ended(self) -> int | None:
        if self._instead:
            return self._instead.ended()
        return self._process.exitcode

    def stop(self) -> None:
        self._stopped = True
        if self._instead:
            self._instead.stop()
        elif self._process.pid is not None:
            self._process.kill()
            self._process.join()


def run_script(words: list[str], log: str, environment: dict[str, str], folder: str, lifeline: Connection) -> None:
    """``python -m WORDS`` in this process, in a folder. It ends when the other end of the lifeline closes: its parent,
    the process it was forked from, is not the process that started it."""

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
    os.chdir(folder)
    if str(Path.cwd()) not in sys.path:  # python -m puts it there: the user's networks lie in it
        sys.path.insert(0, str(Path.cwd()))
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
