"""A stage on a node that cannot see the project's folder: its inputs come over the cluster, what it writes goes back.

Content travels as plain bytes of files, in pieces. A node keeps the files that came, by hash and time, so each comes
once. The time is that on the head: a stage finds its unfinished work by the times of its inputs.
"""

import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winnow.errors import UserError
from winnow.progress import FILE as PROGRESS
from winnow.repro.launch import Running
from winnow.storage import atomic_file

PIECE = 2**25  # bytes of a file that travel at once
POLL_SECONDS = 0.02
SEND_SECONDS = 5.0  # between looks at what a stage has saved
OWN = Path(".winnow")  # the folder of a project for unfinished work, logs and times
TIMES = OWN / "times.csv"
UNFINISHED = re.compile(r"\..*\.unfinished")  # files and folders that winnow.storage is writing


@dataclass(frozen=True)
class File:
    """A file of the project, by its path there, with the MD5 of its content, its bytes, and its time in nanoseconds."""

    path: str
    digest: str
    size: int
    time: int


@dataclass(frozen=True)
class Freight:
    """What a stage reads, what it goes on from, and the paths that it writes, relative to the project's folder."""

    stage: str
    files: tuple[File, ...]
    work: tuple[File, ...]
    outs: tuple[str, ...]


@dataclass(frozen=True)
class Trip:
    """A stage's start on another node. log, progress, arrivals: paths in the project, for what it prints, how far it
    is, and a folder for what it leaves."""

    freight: Freight
    start: int
    log: str
    progress: str
    arrivals: str

    @property
    def outs(self) -> str:
        return f"{self.arrivals}/outs"


class Desk:
    """On the head: reads the project's files for nodes, and writes what they send. An actor of Ray."""

    def __init__(self, project: str) -> None:
        self.project = Path(project)
        self._latest: dict[str, int] = {}  # the latest start of each stage

    def read(self, path: str, offset: int) -> bytes:
        with (self.project / path).open("rb") as file:
            file.seek(offset)
            return file.read(PIECE)

    def write(self, path: str, offset: int, content: bytes) -> None:
        """A piece of a file below .winnow; at offset 0 of a new one."""
        target = self._below_own(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("r+b" if offset else "wb") as file:
            file.seek(offset)
            file.write(content)

    def replace(self, path: str, content: bytes) -> None:
        with atomic_file(self._below_own(path)) as temporary:
            temporary.write_bytes(content)

    def add_times(self, lines: str) -> None:
        """Lines of a table of times, of which the first has the columns' names."""
        header, rest = lines.split("\n", 1)
        path = self.project / TIMES
        with path.open("a", encoding="utf-8") as file:
            file.write(rest if file.tell() else f"{header}\n{rest}")

    def keep_work(self, trip: Trip, paths: list[str]) -> None:
        """Make the stage's unfinished work these files: those that have come since, and those that it had before.

        The old folder stays whole until the new one is, so a stage that is started again has one or the other.
        """
        stage = trip.freight.stage
        if trip.start < self._latest.setdefault(stage, trip.start):
            return  # from a node that the cluster has given up
        self._latest[stage] = trip.start
        new, now = self.project / trip.arrivals / "work", self.project / OWN / stage
        new.mkdir(parents=True, exist_ok=True)
        for found in [file for file in new.rglob("*") if file.is_file()]:
            if str(found.relative_to(new)) not in paths:
                found.unlink()
        for path in paths:
            target = new / path
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.hardlink_to(now / path)
        before = self.project / trip.arrivals / "before"
        if now.exists():
            now.rename(before)
        new.rename(now)
        shutil.rmtree(before, ignore_errors=True)

    def _below_own(self, path: str) -> Path:
        target = self.project / path
        if ".." in target.parts or not target.is_relative_to(self.project / OWN):
            raise ValueError(f"{path}: not below {OWN}")
        return target


Start = Callable[[Path, Path, Mapping[str, str]], Running]  # from the folder, the log, and more environment


def run(trip: Trip, desk: Any, folder: Path, start: Start) -> int:
    """Run a stage in a folder of this node's own, and send back what it leaves. Returns its exit status.

    desk: a function from the name of a method of Desk, and its arguments, to what it returns. folder: where this node
    keeps such files.
    """
    with _workspace(folder / "work", trip.freight.stage) as project:
        for file in trip.freight.files + trip.freight.work:
            _fetch(file, project, folder / "files", desk)
        (project / OWN / "logs").mkdir(parents=True, exist_ok=True)
        (project / OWN / trip.freight.stage).mkdir(exist_ok=True)
        log, progress = project / OWN / "logs" / "log", project / OWN / "progress"
        log.touch()  # it is read before the stage has made it
        running = start(project, log, {PROGRESS: str(progress)})
        sender = _Sender(trip, desk, project, log, progress)
        try:
            status = _until_it_ends(running, sender.send)
        except BaseException:
            running.stop()
            raise
        sender.send()
        if status == 0:
            sender.send_outs()
        return status


def _until_it_ends(running: Running, send: Callable[[], None]) -> int:
    sent = time.monotonic()
    while (status := running.ended()) is None:
        time.sleep(POLL_SECONDS)
        if time.monotonic() - sent > SEND_SECONDS:
            send()
            sent = time.monotonic()
    return status


@contextmanager
def _workspace(folder: Path, stage: str) -> Iterator[Path]:
    """An empty folder, which is removed at the end; by the next stage here, if this process is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        try:
            os.kill(int(left.name.partition(".")[0]), 0)
        except ProcessLookupError:
            shutil.rmtree(left, ignore_errors=True)
    own = folder / f"{os.getpid()}.{stage}"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _fetch(file: File, project: Path, files: Path, desk: Any) -> None:
    """Put a file of the head's project where it belongs in this one, from those that are here, or else the desk."""
    files.mkdir(parents=True, exist_ok=True)
    here = files / f"{file.digest}-{file.time}"
    with (files / f"{here.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another stage may want it too
        if not here.exists():
            _copy(file, here.with_suffix(".unfinished"), desk)
            here.with_suffix(".unfinished").rename(here)
    (project / file.path).parent.mkdir(parents=True, exist_ok=True)
    (project / file.path).hardlink_to(here)


def _copy(file: File, target: Path, desk: Any) -> None:
    digest, size = hashlib.md5(usedforsecurity=False), 0
    with target.open("wb") as copy:
        while piece := desk("read", file.path, size):
            copy.write(piece)
            digest.update(piece)
            size += len(piece)
    if digest.hexdigest() != file.digest:
        raise UserError(f"{file.path}: has changed since the run began: run this again")
    os.utime(target, ns=(file.time, file.time))
    target.chmod(0o444)


class _Sender:
    """Sends the head what a stage has printed and saved since the last time."""

    def __init__(self, trip: Trip, desk: Any, project: Path, log: Path, progress: Path) -> None:
        self.trip, self.desk, self.project, self.log, self.progress = trip, desk, project, log, progress
        self._printed = 0
        self._work = self.project / OWN / trip.freight.stage
        self._saved = _listing(self._work)

    def send(self) -> None:
        with self.log.open("rb") as log:
            log.seek(self._printed)
            while printed := log.read(PIECE):
                self.desk("write", self.trip.log, self._printed, printed)
                self._printed += len(printed)
        if self.progress.exists():
            self.desk("replace", self.trip.progress, self.progress.read_bytes())
        self._send_work()

    def _send_work(self) -> None:
        """Send the unfinished work as it is at one moment. If it changes while it is looked at, the next call does."""
        spool = self.project / OWN / "spool"
        shutil.rmtree(spool, ignore_errors=True)
        now = _listing(self._work)
        if now == self._saved:
            return
        new = [path for path, about in now.items() if self._saved.get(path) != about]
        try:
            for path in new:  # the stage replaces files, and never writes into one, so a link keeps the content
                (spool / path).parent.mkdir(parents=True, exist_ok=True)
                (spool / path).hardlink_to(self._work / path)
        except FileNotFoundError:
            return
        if _listing(self._work) != now:
            return
        for path in new:
            self._send_file(spool / path, f"{self.trip.arrivals}/work/{path}")
        self.desk("keep_work", self.trip, list(now))
        self._saved = now

    def send_outs(self) -> None:
        times = self.project / TIMES
        if times.exists():
            self.desk("add_times", times.read_text(encoding="utf-8"))
        for out in self.trip.freight.outs:
            path = self.project / out
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file():
                    self._send_file(file, f"{self.trip.outs}/{file.relative_to(self.project)}")

    def _send_file(self, file: Path, to: str) -> None:
        with file.open("rb") as content:
            offset = 0
            while (piece := content.read(PIECE)) or not offset:
                self.desk("write", to, offset, piece)
                offset += len(piece)
                if not piece:  # an empty file
                    break


def _listing(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every finished file below a folder, with what changes when it is replaced."""
    found = {}
    for path in sorted(folder.rglob("*")) if folder.exists() else []:
        below = path.relative_to(folder)
        if any(UNFINISHED.match(part) for part in below.parts):
            continue
        try:
            about = path.stat()
        except FileNotFoundError:
            continue
        if path.is_file():
            found[str(below)] = (about.st_ino, about.st_size, about.st_mtime_ns)
    return found


def place(trip: Trip, project: Path) -> None:
    """Put the outputs that have come from a node into the project."""
    for out in trip.freight.outs:
        source, target = project / trip.outs / out, project / out
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
