"""A DVC project in which each stage takes no time of its own: what it does is up to files of the test's.

Its commands are not like those of our own stages, so that no process imports torch for them.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
PATIENCE = 600.0  # seconds, on a busy machine

DVC_YAML = """
stages:
  first:
    cmd: python -m work first data/first in.txt
    deps: [in.txt]
    outs: [data/first]
  left:
    cmd: python -m work left data/left data/first ${left}
    params: [left]
    deps: [data/first]
    outs: [data/left]
  item:
    foreach: ${items}
    do:
      cmd: python -m work item@${key} data/items/${key}/out data/first ${item}
      params: ["items.${key}"]
      deps: [data/first]
      outs: ["data/items/${key}"]
  last:
    cmd: python -m work last metrics.json data/left data/items
    deps: [data/left, data/items]
    metrics:
      - metrics.json: {cache: false}
  apart:
    cmd: exec env python -m work apart data/apart in.txt
    deps: [in.txt]
    outs: [data/apart]
"""

# What a stage does: tells that it has begun, waits as long as there is a file hold.STAGE, and fails if there is a file
# fail.STAGE. Its output is the content of all its inputs, and its params.
WORK = """
import os, sys, time
from pathlib import Path
name, out, *inputs = sys.argv[1:]
Path("log").mkdir(exist_ok=True)
Path("log", f"{name}.begun").write_text(f"{os.getpid()}")
while Path(f"hold.{name}").exists():
    time.sleep(0.02)
if Path(f"fail.{name}").exists():
    sys.exit("error: in.txt: has no last line")
files = [file for path in map(Path, inputs) for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
text = name + "".join(file.read_text() if file.exists() else str(file) for file in files if not file.is_dir())
Path(out).parent.mkdir(parents=True, exist_ok=True)
Path(out).write_text(str(len(text)) if out.endswith("json") else text)
Path("log", f"{name}.ended").touch()
print(f"made {out}")
"""

ALL = ["apart", "first", "item@x", "item@y", "last", "left"]
PARAMS = "left: 1\nitems: {x: 1, y: 1}\n"


@dataclass(frozen=True)
class Toy:
    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "WINNOW_", "GIT_"))}
        outside = self.folder.parent
        return {
            **kept,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(SRC), str(self.folder)]),
            "SHELL": "/bin/sh",  # which stays between dvc and the command here and there
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(outside / "site"),
            "DVC_GLOBAL_CONFIG_DIR": str(outside / "global"),
            "DVC_SYSTEM_CONFIG_DIR": str(outside / "system"),
        }

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        if threading.current_thread() is threading.main_thread():  # a job in the background ignores it, as would these
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment() | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, **environment: str) -> tuple[int, str]:
        with self.start(*command, **environment) as process:
            printed = process.communicate(timeout=PATIENCE)[0]
        return process.returncode, printed

    def repro(self, *arguments: str) -> tuple[int, str]:
        return self.run(*REPRO, *arguments)

    def began(self, stage: str) -> bool:
        return self.path(f"log/{stage}.begun").exists()

    def process_of(self, stage: str) -> int:
        wait(lambda: self.began(stage) and self.path(f"log/{stage}.begun").read_text())
        return int(self.path(f"log/{stage}.begun").read_text())

    def books(self) -> dict[str, bytes]:
        """dvc.lock, the cache, the run cache and all outputs."""
        roots = (self.path(".dvc/cache"), self.path("dvc.lock"), self.path("data"), self.path("metrics.json"))
        files = [file for root in roots for file in ([root] if root.is_file() else root.rglob("*"))]
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in files if _is_book(file)}


def _is_book(file: Path) -> bool:
    """A file, but none that was not finished by a process that was killed, which nothing reads."""
    unfinished = re.fullmatch(r"\.[\w-]{22}\.tmp", file.name) or "/.unfinished." in str(file)
    return file.is_file() and not unfinished


REPRO = ("python", "-m", "winnow.repro")


def make(folder: Path) -> Toy:
    folder.mkdir()
    toy = Toy(folder)
    files = {"dvc.yaml": DVC_YAML, "work.py": WORK, "params.yaml": PARAMS, "in.txt": "a\n"}
    # as in the project itself: else DVC writes a .gitignore among the items, in the order in which they end
    for name, text in {**files, ".gitignore": "/data/\n"}.items():
        toy.path(name).write_text(text)
    for command in (("git", "init", "--quiet"), ("dvc", "init", "--quiet")):
        assert toy.run(*command)[0] == 0
    shutil.copyfile(ROOT / ".dvcignore", toy.path(".dvcignore"))
    return toy


def copy(toy: Toy, folder: Path) -> Toy:
    shutil.copytree(toy.folder, folder, symlinks=True)
    return Toy(folder)


def ran(printed: str) -> list[str]:
    return sorted(re.findall(r"^(\S+) ran in ", printed, re.MULTILINE))


def wait(for_what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not for_what():
        assert time.monotonic() < end
        time.sleep(0.01)
