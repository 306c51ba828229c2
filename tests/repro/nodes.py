"""A cluster of Ray on this machine, one node a ``ray start``, and what can happen to it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

START = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--disable-usage-stats", "--num-gpus=0"]
# nodes end soon after their head, and a busy machine has time to start one
SETTINGS = {
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
    "RAY_raylet_start_wait_time_s": "600",
    "RAY_agent_register_timeout_ms": "600000",
    "RAY_worker_register_timeout_seconds": "600",
}
HIDE = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"']
STORE = 100_000_000  # bytes of memory for objects, on each node


@dataclass
class Nodes:
    """The nodes by the order in which they began. The first has Ray's head; if that is dead, the next that begins."""

    folder: Path  # for Ray's own files, and where the nodes are started
    port: int = 0
    head: int = -1  # its number
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def add(self, cores: int = 1, wait: bool = True, hidden: Path | None = None, **environment: str) -> int:
        """Start a node, and return its number. Its stages have this environment. hidden: a folder in which it sees
        nothing, as if it were on another machine."""
        if self.head in self.alive():
            where = [f"--address={self.address}"]
        else:
            self.port, self.head = _free_port(), len(self.processes)
            where = ["--head", f"--port={self.port}", "--include-dashboard=false", f"--temp-dir={self.folder}"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "WINNOW_", "RAY_"))}
        apart = [*HIDE, str(hidden)] if hidden else []
        with (self.folder / f"node{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*apart, *START, *where, f"--num-cpus={cores}", f"--object-store-memory={STORE}"],
                cwd=self.folder,
                env=kept | SETTINGS | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        if wait:
            _until(lambda: b"runtime started" in Path(log.name).read_bytes(), process, Path(log.name))
        return len(self.processes) - 1

    def kill(self, number: int) -> None:
        """Kill every process of a node at once, as if its machine had lost power."""
        process = self.processes[number]
        if process.poll() is None:
            kill_with_all_below(psutil.Process(process.pid))
        process.wait()

    def alive(self) -> list[int]:
        return [number for number, process in enumerate(self.processes) if process.poll() is None]


def can_hide(folder: Path) -> bool:
    """Whether this process may mount, which hiding a folder takes."""
    try:
        return subprocess.run([*HIDE, str(folder), "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def kill_with_all_below(process: psutil.Process) -> None:
    below = [process, *process.children(recursive=True)]
    for each in below:
        each.suspend()  # so that none starts another
    for each in [*process.children(recursive=True), process]:
        each.kill()


@contextmanager
def nodes(folder: Path) -> Iterator[Nodes]:
    """No node yet; all that are started are killed at the end."""
    folder.mkdir()
    made = Nodes(folder)
    try:
        yield made
    finally:
        for number in reversed(made.alive()):
            made.kill(number)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _until(begun, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 600
    while not begun():
        assert process.poll() is None and time.monotonic() < end, log.read_text()
        time.sleep(0.05)
