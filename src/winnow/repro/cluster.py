"""Starts the commands of stages on the nodes of a Ray cluster, where ``WINNOW_CLUSTER`` or ``RAY_ADDRESS`` names one.

Without these, nothing imports Ray. docs/cluster.md says how to use it.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import winnow
from winnow.errors import UserError
from winnow.progress import FILE as PROGRESS
from winnow.repro import away, node
from winnow.repro.away import Freight, Trip
from winnow.repro.launch import LIGHT, Command, Launcher, Running, script_of

ADDRESS, RAYS, MEMORY = "WINNOW_CLUSTER", "RAY_ADDRESS", "WINNOW_MEMORY"
STARTS = 6  # of a stage, at most: a stage could be what ends the nodes
STOP_SECONDS = KNOCK_SECONDS = 10
LOOK_SECONDS = 2  # between looks at which nodes there are
KILLED = -9


def address() -> str | None:
    """The address of the cluster to use: host:port, or auto for the one that this machine belongs to."""
    return os.environ.get(ADDRESS) or os.environ.get(RAYS) or None


@contextmanager
def joined(where: str, temporary: Path, say: Callable[[str], None]) -> Iterator["Cluster"]:
    """The cluster at an address, until the end of the block, when everything ends that was started there.

    temporary: a folder of this run inside the project. say: prints a line. Raises UserError if there is no cluster.
    """
    try:
        ray = import_module("ray")
    except ModuleNotFoundError:
        extra = "install the extra cluster of winnow, such as pip install '.[cluster]' in a clone"
        raise UserError(f"{_variable()}={where}: Ray is not installed: {extra}") from None
    if "://" in where:
        raise UserError(f"{_variable()}={where}: must be auto, or host:port of a cluster that this machine belongs to")
    code = {"py_modules": [str(Path(winnow.__file__).parent)]}
    try:
        _knock(where)
        ray.init(address=where, runtime_env=code, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise UserError(
            f"{_variable()}={where}: no cluster that this machine belongs to, see docs/cluster.md "
            f"({' '.join(str(error).split())})"
        ) from None
    try:
        yield Cluster(ray, temporary, say)
    finally:
        ray.shutdown()


def _knock(where: str) -> None:
    """Raise OSError if nothing answers at host:port: Ray would try for minutes."""
    host, colon, port = where.rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()


def _variable() -> str:
    return ADDRESS if os.environ.get(ADDRESS) else RAYS


class Cluster:
    """A ``Launcher`` whose stages are tasks of Ray. The stage check runs here, because it reads this machine's code."""

    def __init__(self, ray: Any, temporary: Path, say: Callable[[str], None]) -> None:
        self.ray, self.say = ray, say
        self.run = ray.remote(node.run)
        self.project, self.temporary = Path.cwd(), temporary
        self.head = ray.get_runtime_context().get_node_id()
        self.mark = temporary / "mark"
        self.mark.touch()
        self.memory = _memory()
        self._local = Launcher()
        self._looked = 0.0
        self._room, self._gpus = 0, False  # whether any node had a GPU: on a CPU the rest would have other bytes
        self.apart = False  # whether a node was found that cannot see the project's folder

    def room(self) -> int:
        """How many stages there may be at once: one more than there are cores, on every node."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            found = [about["Resources"] for about in self._nodes() if about["Alive"]]
            cores = [int(resources.get("CPU", 0)) for resources in found]
            room = sum(count + 1 for count in cores if count)
            if not room and (self._room or not self._looked):
                self.say("no node of the cluster has a core: waiting for one")
            self._room = room
            self._gpus |= any(resources.get("GPU", 0) >= 1 for resources in found)
            self._looked = time.monotonic()
        return self._room

    def _nodes(self) -> list[dict[str, Any]]:
        try:
            return list(self.ray.nodes())
        except Exception as error:  # of several classes, in this version of Ray
            raise UserError(
                f"Ray's head does not answer: start Ray again, then this ({type(error).__name__})"
            ) from None

    def start(self, command: Command) -> Running:
        script = script_of(command.text)
        if script and script[0] in LIGHT:
            return self._local.start(command)
        return _Task(self, command)

    @cached_property
    def desk(self) -> Any:
        """What nodes that cannot see the project's folder read from and write to."""
        options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1}
        return self.ray.remote(away.Desk).options(**options, **self.at_head()).remote(str(self.project))

    def at_head(self) -> dict[str, Any]:
        """The option of Ray to run on this machine's node."""
        strategies = import_module("ray.util.scheduling_strategies")
        return {"scheduling_strategy": strategies.NodeAffinitySchedulingStrategy(self.head, soft=False)}

    def resources(self, command: Command) -> dict[str, Any]:
        """What a stage's task asks of a node, as options of Ray."""
        wanted: dict[str, Any] = {"num_cpus": 1}  # further cores only while no other stage there needs them
        if command.computes:
            device = command.environment.get("WINNOW_DEVICE") or ("cuda" if self._gpus else "cpu")
            wanted |= {"num_gpus": len(device.split(","))} if device.startswith("cuda") else {}
            wanted |= {"memory": self.memory} if self.memory else {}
        return wanted


def _memory() -> int:
    """Bytes that a stage which computes with networks asks for; 0 if it asks for none."""
    text = os.environ.get(MEMORY, "0")
    try:
        if float(text) >= 0:
            return int(float(text) * 2**30)
    except (ValueError, OverflowError):
        pass
    raise UserError(f"{MEMORY}={text}: must be a number of GiB, such as 8")


class _Task:
    """A stage's command as a task of Ray, which is started again on another node if its own dies.

    The first that lands where the project's folder is not tells so. From then on, stages that compute with networks
    take along what they need, and all others run on this machine, beside their inputs. Those that read files outside of
    the project always do.
    """

    def __init__(self, cluster: Cluster, command: Command) -> None:
        self._cluster, self._command, self._ray = cluster, command, cluster.ray
        self._name = command.environment.get("DVC_STAGE", command.text)
        self._starts = 0
        self._status: int | None = None
        self._trip: Trip | None = None
        given = {name: value for name, value in command.environment.items() if name not in (ADDRESS, RAYS)}
        if given.get("WINNOW_DEVICE", "").startswith("cuda"):  # Ray says which of the node's, and numbers them anew
            names = given["WINNOW_DEVICE"].split(",")
            given["WINNOW_DEVICE"] = ",".join(f"cuda:{i}" for i in range(len(names))) if names[1:] else "cuda"
        self._freight = command.freight() if command.freight else Freight(self._name, (), (), ())
        folder, log = str(command.folder.absolute()), str(command.log.absolute())
        files = self._freight.files
        self._task = node.Task(command.text, log, given, folder, str(cluster.mark), files, node.versions())
        self._outs = [cluster.project / out for out in self._freight.outs]
        self._submit()

    def _submit(self) -> None:
        self._starts += 1
        self._command.log.write_bytes(b"")
        options = {"name": self._name, "max_retries": 0, "scheduling_strategy": "SPREAD"}
        options |= self._cluster.resources(self._command)
        given: list[Any] = [self._task]
        outside = any(file.path.startswith("..") for file in self._freight.files)
        if self._cluster.apart and self._command.computes and self._command.freight and not outside:
            self._trip = self._begin_trip(self._command.freight())  # again: the unfinished work may have changed
            given += [self._trip, self._cluster.desk]
        elif self._cluster.apart or outside:
            options |= {"num_cpus": 0, **self._cluster.at_head()}
        self._result = self._cluster.run.options(**options).remote(*given)

    def _begin_trip(self, freight: Freight) -> Trip:
        project = self._cluster.project
        arrivals = self._cluster.temporary.relative_to(project) / "away" / f"{self._name}.{self._starts}"
        progress = Path(self._command.environment[PROGRESS]).relative_to(project)
        return Trip(freight, self._starts, str(self._command.log), str(progress), str(arrivals))

    def ended(self) -> int | None:
        if self._status is None and self._ray.wait([self._result], timeout=0)[0]:
            self._status = self._outcome()
            self._seen_until = time.monotonic() + node.SEE_SECONDS
        # a shared file system may show them late
        if self._status == 0 and time.monotonic() < self._seen_until and not all(map(os.path.lexists, self._outs)):
            return None
        return self._status

    def _outcome(self) -> int | None:
        """The exit status; None if the task was started again."""
        errors = self._ray.exceptions
        try:
            status: int | None = self._ray.get(self._result)
        except errors.OutOfMemoryError:
            return self._fails(
                "its node had no memory left, and Ray ended it: more memory, or fewer stages on a node "
                f"({MEMORY}: the GiB that a stage asks for)",
                KILLED,
            )
        except errors.RayError as error:
            cause = error.cause if isinstance(error, errors.RayTaskError) else error
            final = (errors.RuntimeEnvSetupError, errors.TaskUnschedulableError)
            if isinstance(cause, errors.RayError) and not isinstance(cause, final):
                return self._goes_on(cause)
            return self._fails(" ".join(str(cause).split()))
        if status is None:
            self._cluster.apart = True
            self._submit()
        elif status == 0 and self._trip and (self._cluster.project / self._trip.outs).exists():
            away.place(self._trip, self._cluster.project)
        return status

    def _goes_on(self, error: Exception) -> int | None:
        if self._starts >= STARTS:
            return self._fails(f"was started {self._starts} times, and each time its node or its process died")
        lost = "process" if isinstance(error, self._ray.exceptions.WorkerCrashedError) else "node"
        self._cluster.say(f"{self._name}: its {lost} died; it goes on elsewhere")
        self._submit()
        return None

    def _fails(self, why: str, status: int = 1) -> int:
        with self._command.log.open("a", encoding="utf-8") as log:
            log.write(f"error: {why}\n")
        return status

    def stop(self) -> None:
        self._ray.cancel(self._result, force=True)
        self._ray.wait([self._result], timeout=STOP_SECONDS)
