"""A small project of DVC on which the faults are tried, what must hold of it, and who is left over."""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

from tests.repro.toy import ROOT, Toy

DVC_YAML = """
stages:
  images:
    cmd: python -B -m work images
    deps: [in.txt]
    outs: [data/images]
  early:
    foreach: ${items}
    do:
      cmd: python -B -m work early ${key}
      params: ["items.${key}"]
      deps: [data/images]
      outs: ["data/early/${key}"]
  score:
    cmd: python -B -m work score
    deps: [data/early, data/images/dataset.json]
    outs: [data/scores.parquet]
  loose:
    cmd: python -B -m work loose
    deps: [data/images/dataset.json]
    outs: [made/loose.json]
  last:
    cmd: python -B -m work last
    deps: [data/scores.parquet, made/loose.json]
    outs:
      - plots/last.csv: {cache: false}
    metrics:
      - metrics.json: {cache: false}
"""
PARAMS = "items: {a: 1, b: 2}\n"
CHANGED = "items: {a: 1, b: 3}\n"  # early@a stays as it is
RESULTS = ("data", "made", "plots", "metrics.json", "metrics", "dvc.lock")
PROGRAMS = {"make repro": ("python", "-m", "winnow.repro"), "dvc repro": ("dvc", "repro")}
MAKE, DVC = PROGRAMS.values()
PATIENCE = 600.0  # seconds, with several trials at once on a busy machine
HANGS = "\nended, as it hung\n"


def make(box: Path) -> Toy:
    """The project, in which nothing has run, in a folder of its own below ``box``, where all that its commands write
    lies."""
    project = box / "project"
    (box / "tmp").mkdir(parents=True)
    project.mkdir()
    toy = Toy(project)
    files = {"dvc.yaml": DVC_YAML, "params.yaml": PARAMS, "in.txt": "a line\n", ".gitignore": "/data/\n/.winnow/\n"}
    for name, text in files.items():
        toy.path(name).write_text(text)
    shutil.copyfile(Path(__file__).with_name("work.py"), toy.path("work.py"))
    for command in (("git", "init", "--quiet"), ("dvc", "init", "--quiet")):
        assert run(toy, *command)[0] == 0
    shutil.copyfile(ROOT / ".dvcignore", toy.path(".dvcignore"))
    return toy


def copy(toy: Toy, box: Path) -> Toy:
    """The project with all that belongs to it: also the times of its files, which DVC compares."""
    shutil.copytree(
        toy.folder.parent,
        box,
        symlinks=True,
        ignore=lambda folder, _: ["tmp"] if Path(folder) == toy.folder.parent else [],
    )
    (box / "tmp").mkdir()
    return type(toy)(box / "project")


def environment(toy: Toy) -> dict[str, str]:
    """Its temporary files, too, lie in its box."""
    return {"TMPDIR": str(toy.folder.parent / "tmp")}


def run(toy: Toy, *command: str, patience: float = PATIENCE, **more: str) -> tuple[int, str]:
    """Exit status, and what it printed; HANGS at the end, if it was killed after ``patience`` seconds."""
    with toy.start(*command, **(environment(toy) | more)) as process:
        try:
            printed = process.communicate(timeout=patience)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            printed = process.communicate()[0] + HANGS
    return process.returncode, printed


def results(toy: Toy) -> dict[str, bytes]:
    """Every output, and dvc.lock, by its path."""
    roots = [toy.path(name) for name in RESULTS]
    files = [file for root in roots for file in ([root] if root.is_file() else root.rglob("*"))]
    return {str(file.relative_to(toy.folder)): file.read_bytes() for file in files if file.is_file() and kept(file)}


def kept(file: Path) -> bool:
    """Not what a killed DVC left unfinished beside an output, nor .gitignore: DVC takes back all lines of a run that
    fails, and they stay away for stages that are done."""
    return not (file.name.startswith(".") and file.name.endswith(".tmp")) and file.name != ".gitignore"


def change(toy: Toy) -> None:
    """A parameter, so that all but one stage must run again."""
    toy.path("params.yaml").write_text(CHANGED)


def change_back(toy: Toy) -> None:
    toy.path("params.yaml").write_text(PARAMS)


def damaged(toy: Toy) -> list[str]:
    """The objects of the cache whose content is not what their name says, but not what a killed DVC left."""
    cache = toy.path(".dvc/cache/files/md5")
    objects = [file for file in cache.rglob("*") if file.is_file() and file.suffix != ".tmp"]
    return [
        str(file.relative_to(toy.folder))
        for file in objects
        if hashlib.md5(file.read_bytes()).hexdigest() != f"{file.parent.name}{file.stem}"
    ]


def differences(found: dict[str, bytes], wanted: dict[str, bytes]) -> list[str]:
    """The files that differ, are missing or are too many."""
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def left_over(toy: Toy, patience: float = 20.0) -> list[str]:
    """The commands of processes that a run of the project began and that do not end, after which they are killed."""
    end = time.monotonic() + patience
    while (found := _of(toy)) and time.monotonic() < end:
        time.sleep(0.02)
    commands = [" ".join(process.cmdline()) for process in found]
    for process in found:
        process.kill()
    return commands


def _of(toy: Toy) -> list[psutil.Process]:
    mark, found = os.fsencode(f"TMPDIR={toy.folder.parent}/"), []
    for process in psutil.process_iter():
        try:
            if mark in Path(f"/proc/{process.pid}/environ").read_bytes() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (OSError, psutil.NoSuchProcess):
            continue
    return found
