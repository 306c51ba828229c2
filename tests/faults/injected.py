"""Faults at chosen moments of a run: fault.c, preloaded into all its processes, counts what they write."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

COMPILER = shutil.which("cc")
RANDOM_NAME = re.compile(
    r"(?<=[./_-])[\w-]{22}(?=\.tmp)"  # DVC's temporary files
    r"|(?<=\.pyc\.)\d+"
    r"|(?<=winnow-)\w{8}|(?<=\.unfinished\.)\w{8}(?=/|$)|(?<=^tmp/)\w{8}$"  # tempfile's
    r"|(?<=repo/)[0-9a-f]{32}|(?<=/)[0-9a-f]{16}(?=/|$)"  # of the project's path, and of times of files
)


@cache
def library() -> Path:
    """fault.c, compiled."""
    assert COMPILER, "no C compiler: install gcc"
    made = Path(mkdtemp(prefix="winnow-faults-"), "fault.so")
    source = Path(__file__).with_name("fault.c")
    subprocess.run([COMPILER, "-O1", "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True)
    return made


@dataclass(frozen=True)
class Fault:
    """What happens at the ``at``-th write to a path like ``path`` (a shell pattern), below the run's own folder.

    do: "group", "first" or "self" kill the process group, its first process, or the process that writes, in the middle
    of the write; "full" fills the disk: what is written from then on fails.
    """

    do: str
    path: str
    at: int

    @contextmanager
    def environment(self, folder: Path, log: Path | None = None) -> Iterator[dict[str, str]]:
        """For the processes of a run that writes below the folder. log: a file for a line on each write."""
        state = _state(folder)
        state.write_bytes(bytes(16))
        if log:
            log.touch()
        yield {
            "LD_PRELOAD": str(library()),
            "FAULT_STATE": str(state),
            "FAULT_DO": self.do,
            "FAULT_PATH": self.path,
            "FAULT_AT": str(self.at),
            "FAULT_UNDER": f"{folder}/",
            **({"FAULT_LOG": str(log)} if log else {}),
        }

    def happened(self, folder: Path) -> bool:
        """Whether the run came as far as that."""
        return _state(folder).read_bytes()[8:] != bytes(8)


def _state(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.fault")


NEVER = Fault("self", "*", -1)


@dataclass(frozen=True)
class Write:
    """An operation that changes a file: write, open, mkdir, rename, link, unlink, chmod, truncate."""

    what: str
    path: str


def writes(log: Path, folder: Path) -> list[Write]:
    """All of a run, in order, with paths below its folder. Random parts of names are question marks, so that a path is
    a pattern, too."""
    lines = (line.split(" ", 2) for line in log.read_text().splitlines())
    return [
        Write(what, RANDOM_NAME.sub(lambda name: "?" * len(name[0]), path.removeprefix(f"{folder}/")))
        for _, what, path in lines
    ]
