"""What a node of a cluster does: it runs the commands of stages. Ray calls ``run`` in processes of its own there."""

import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from winnow import cores as shared_cores
from winnow.errors import UserError
from winnow.repro import away
from winnow.repro.away import File, Trip
from winnow.repro.digests import md5_of
from winnow.repro.launch import Command, Launcher, Running

POLL_SECONDS = 0.005
SEE_SECONDS = 90.0  # NFS keeps what it knows of a folder for a minute
LIBRARIES = ("torch", "torchvision", "numpy", "scipy")  # another version of these computes other bytes
OURS = ("WINNOW_", "DVC_")  # settings that a stage takes from the head; all others are the node's
THREADS = "OMP_NUM_THREADS"  # Ray sets it to 1 in its processes


@dataclass(frozen=True)
class Task:
    """A stage's command, as it travels to a node.

    folder: of the project. mark: a file in it that only this run of the project has made. files: in the folder, as they
    are on the head. versions: what the node must have.
    """

    text: str
    log: str
    environment: Mapping[str, str]
    folder: str
    mark: str
    files: tuple[File, ...]
    versions: Mapping[str, str]


def run(task: Task, trip: Trip | None = None, desk: Any = None) -> int | None:
    """The exit status of the command; None if the project's folder is not on this node, and no trip says what to do
    then. desk: the actor that serves the trip."""
    import ray

    _refuse(task.versions)
    if Path(task.mark).exists():
        see(task.files, Path(task.folder))
        return _wait(_start(task, Path(task.folder), Path(task.log), {}))
    if trip is None:
        return None
    about = ray.get_runtime_context()
    own = Path(about.get_temp_dir(), about.get_session_name(), "winnow")
    return away.run(
        trip,
        lambda name, *given: ray.get(getattr(desk, name).remote(*given)),
        own,
        lambda *where: _start(task, *where),
    )


@cache
def versions() -> dict[str, str]:
    """Of what must be the same on all nodes: else the bytes of a result would depend on where it was made."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def _refuse(wanted: Mapping[str, str]) -> None:
    for name, found in versions().items():
        if found != wanted[name]:
            raise UserError(
                f"node {platform.node()} has {name} {found}, and this project {wanted[name]}: install the same there"
            )


def see(files: Sequence[File], folder: Path, patience: float = SEE_SECONDS) -> None:
    """Wait until this node sees the files as the head did: a shared file system may show late what others wrote.

    Raises UserError if it does not.
    """
    end = time.monotonic() + patience
    for file in files:
        while not _is_seen(file, folder / file.path):
            if time.monotonic() > end:
                raise UserError(
                    f"{file.path}: has changed since the stage was sent, or node {platform.node()} sees old files of "
                    "the shared folder: run this again; docs/cluster.md"
                )
            time.sleep(min(0.5, patience))


def _is_seen(file: File, path: Path) -> bool:
    try:
        about = path.stat()
        return (about.st_size, about.st_mtime_ns) == (file.size, file.time) or md5_of(path) == file.digest
    except OSError:
        return False


def _start(task: Task, folder: Path, log: Path, more: Mapping[str, str]) -> Running:
    environment = _environment({**task.environment, **more}, folder)
    return _launcher(environment.get(THREADS)).start(Command(task.text, log, environment, folder))


def _wait(running: Running) -> int:
    while (status := running.ended()) is None:
        time.sleep(POLL_SECONDS)
    return status


def _environment(given: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Of a command on this node: that in which Ray was started, and the head's settings of ours."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_") and name != THREADS}
    sent = {name: value for name, value in given.items() if name.startswith(OURS) or name == THREADS}
    above = str(Path(__file__).parents[2])  # our own code, which Ray brought along
    return {
        **own,
        **sent,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join(filter(None, [above, own.get("PYTHONPATH")])),
        "DVC_ROOT": str(folder),
        shared_cores.FOLDER: str(_cores()),
    }


def _cores() -> Path:
    """The folder of this node's cores, as many as Ray has there; all of the machine's, if Ray is to use none."""
    import ray

    about = ray.get_runtime_context()
    folder = Path(about.get_temp_dir(), "winnow", about.get_node_id())
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(_count(about.get_node_id())):
        (folder / f"{number:04d}").touch()  # each time: systems tidy the folders of temporary files
    return folder


@cache
def _count(node: str) -> int:
    import ray

    resources = next(found["Resources"] for found in ray.nodes() if found["NodeID"] == node)
    return int(resources.get("CPU", 0)) or shared_cores.available()


@cache
def _launcher(threads: str | None) -> Launcher:
    """This process's only one. It has a process that has imported torch, from which all stages here fork."""
    # Ray's own main module would be imported into every fork, and Ray with it
    vars(sys.modules["__main__"]).pop("__file__", None)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # as make repro does
    os.environ.pop(THREADS, None)
    if threads is not None:
        os.environ[THREADS] = threads
    return Launcher()
