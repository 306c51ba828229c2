"""Times the pipeline on a Ray cluster on this machine against make repro, and what the cluster adds to a command.

    python benchmarks/cluster.py [--tasks 1000] [--out .bench/cluster.json]

The default pipeline on two nodes of one core, over `make repro JOBS=2`, in fresh clones of the last commit: both nodes
have the project's folder, or the second does not (as root alone, who may hide it). After each the results are compared
byte by byte. And 1,000 commands `sleep 1` on two nodes of four cores, over the seconds that 8 workers must sleep. Takes
about 10 minutes of two quiet cores. --tasks 0 leaves the commands out, --no-pipeline the pipelines.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pipeline import Project, seconds

from winnow.repro import cluster
from winnow.repro.launch import Command, Running

RESULTS = ("data", "metrics", "plots", "report", "dvc.lock")
RAY = str(Path(sys.executable).with_name("ray"))
PORT = 26379
HIDE = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"']
STORE = 100_000_000  # bytes of memory for objects, on each node


@contextmanager
def nodes(cores: Sequence[int], folder: Path, environment: dict[str, str], hidden: Path | None = None) -> Iterator[str]:
    """Start a cluster with one node for each number of cores, and give its address. hidden: a folder that only the head
    can see into."""
    started = []
    for number, count in enumerate(cores):
        where = ["--head", f"--port={PORT}", "--include-dashboard=false", f"--temp-dir={folder}"]
        command = [RAY, "start", "--block", "--disable-usage-stats", f"--object-store-memory={STORE}"]
        command += [f"--num-cpus={count}", "--num-gpus=0", *([f"--address=127.0.0.1:{PORT}"] if number else where)]
        if number and hidden:
            command = [*HIDE, str(hidden), *command]
        log = folder.with_name(f"node{number}.log")
        with log.open("wb") as output:
            started.append(subprocess.Popen(command, env=environment, cwd=folder.parent, stdout=output, stderr=output))
        while b"runtime started" not in log.read_bytes():
            if started[-1].poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.1)
    try:
        yield f"127.0.0.1:{PORT}"
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def content(folder: Path) -> dict[str, bytes]:
    roots = [folder / name for name in RESULTS]
    files = [file for root in roots for file in ([root] if root.is_file() else root.rglob("*")) if file.is_file()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def measure_pipeline(folder: Path) -> dict[str, Any]:
    """Time the default pipeline on one machine and on two clusters, and list the result files that differ."""
    here = Project(folder / "here")
    found: dict[str, Any] = {"alone": seconds(lambda: here.run("python", "-m", "winnow.repro", "--jobs", "2"))}
    wanted = content(here.folder)
    for name in ("cluster", "hidden"):
        there = Project(folder / name)
        hidden = there.folder if name == "hidden" else None
        with nodes([1, 1], folder / f"ray-{name}", there.environment, hidden) as address:
            there.environment["WINNOW_CLUSTER"] = address
            found[name] = seconds(partial(there.run, "python", "-m", "winnow.repro"))
        own = content(there.folder)
        files = wanted.keys() | own.keys()
        found[f"differ_{name}"] = sorted(file for file in files if wanted.get(file) != own.get(file))
    return found | {"files": len(wanted)}


def measure_commands(folder: Path, count: int, workers: int = 8) -> float:
    """Seconds of ``count`` commands of one second each."""
    folder.mkdir()
    os.chdir(folder)
    (folder / "logs").mkdir()
    waiting = [
        Command("sleep 1", folder / "logs" / f"{number}.log", {**os.environ, "DVC_STAGE": f"s{number}"})
        for number in range(count)
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WINNOW_", "RAY_"))}
    with (
        nodes([workers // 2] * 2, folder.with_name("c"), kept) as address,
        cluster.joined(address, folder, print) as joined,
    ):
        run_all(joined, waiting[:workers], workers)  # Ray starts its processes
        return seconds(lambda: run_all(joined, waiting, workers + 2))


def run_all(joined: cluster.Cluster, commands: Sequence[Command], room: int) -> None:
    """As the scheduler does, with one more at once than there are cores, on each of two nodes."""
    waiting, at_work = list(commands), dict[int, Running]()
    while waiting or at_work:
        for number in [number for number, running in at_work.items() if running.ended() is not None]:
            if (status := at_work.pop(number).ended()) != 0:
                sys.exit(f"a command ended with {status}")
        while waiting and len(at_work) < room:
            at_work[len(waiting)] = joined.start(waiting.pop())
        time.sleep(0.02)


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Time the pipeline and single commands on a Ray cluster.")
    parser.add_argument("--tasks", type=int, default=1000, help="commands of one second")
    parser.add_argument("--pipeline", action=argparse.BooleanOptionalAction, default=True, help="the default pipeline")
    parser.add_argument("--out", type=Path, default=Path(".bench/cluster.json"))
    options = parser.parse_args()
    out, record = options.out.absolute(), dict[str, Any]()
    with tempfile.TemporaryDirectory(prefix="ray") as temporary:  # sockets need a short path
        if options.pipeline:
            found = record["pipeline"] = measure_pipeline(Path(temporary))
            for name, what in (("cluster", "two nodes"), ("hidden", "two nodes, one without the folder")):
                ratio, differ = found[name] / found["alone"], len(found[f"differ_{name}"])
                print(f"default pipeline on {what}, over make repro JOBS=2: {ratio:.2f}   at most 1.25", end="   ")
                print(f"{found[name]:.0f} s, {found['alone']:.0f} s; {differ} of {found['files']} files differ")
        if options.tasks:
            taken = record["tasks"] = measure_commands(Path(temporary, "tasks"), options.tasks)
            wanted = options.tasks / 8
            print(
                f"{options.tasks} commands of 1 s, 8 at once: {taken / wanted - 1:.1%} above {wanted:.0f} s   under 10%"
            )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
