"""What a unit of work costs on this machine: a few steps of the params' own networks, on random pixels.

``python -m winnow.cost.probe`` is a process of its own, because it imports torch. It reads one line of json (shape,
classes, units) and writes lines of json: first the device and the bytes that the libraries take, then what each unit
costs, as ``Cost``. It reads and writes no file of the project but the user's own networks.
"""

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from winnow import cores
from winnow.cost.work import Unit
from winnow.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from winnow.training.batches import DeviceImages

SECONDS = 0.6  # that a unit is measured for, after it has warmed up
IMAGES = 500  # of a pass, as ``evaluate`` takes at a time
STEPS = 20  # of an epoch
LINUX = sys.platform == "linux"
SIDE_BY_SIDE = 4  # probes at once, as a stage's processes run; more would show nothing else


@dataclass(frozen=True)
class Cost:
    """Of one unit: seconds of a core (or of the GPU), the bytes of memory that a process which does such units takes
    beyond the libraries, and the bytes of the network's state."""

    seconds: float
    memory: int
    state: int


class Probe:
    """The probe's process, from its start until ``measure`` has ended. device: cpu or cuda. libraries: the bytes that
    they take; more once they have been used."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-m", "winnow.cost.probe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        about = self._answer()
        self.device, self.libraries = str(about["device"]), int(about["libraries"])

    def measure(self, units: Sequence[Unit], shape: Sequence[int], classes: int) -> Iterator[tuple[Unit, Cost]]:
        """Each unit with its cost, in the order in which they end. Raises UserError if one cannot be done."""
        assert self._process.stdin
        asked = {"units": [asdict(unit) for unit in units], "shape": list(shape), "classes": classes}
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()
        unused = self.libraries
        for _ in units:
            answer = self._answer()
            self.libraries = max(self.libraries, unused + int(answer.pop("files")))
            yield units[answer.pop("unit")], Cost(**answer)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise UserError("the process that measures was ended, perhaps for want of memory")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise UserError(answer["error"])
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def started() -> Iterator[Probe]:
    """A probe, which ends with the block."""
    probe = Probe()
    try:
        yield probe
    finally:
        probe.end()


def main() -> None:
    from winnow.orphans import end_with_parent

    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"  # looks for a device without a start of CUDA, which cannot fork
    import torch

    import winnow.tickets.train  # noqa: F401 (what a stage imports: it is not memory of the units)
    from winnow.training.memory import keep_freed_memory
    from winnow.training.pretrain import twins  # noqa: F401

    torch.set_num_threads(1)
    keep_freed_memory()
    out = sys.stdout
    device = _in_fork(_device)
    if "error" not in device:
        device = {**device, "libraries": _memory("VmRSS")}
    _say(out, device)
    asked = json.loads(sys.stdin.readline() or "null")
    end_with_parent(os.getppid())  # only now: a thread would not survive a fork, and could break it
    if not asked:
        return
    units = [Unit(**unit) for unit in asked["units"]]
    at_once = min(SIDE_BY_SIDE, cores.available()) if device["device"] == "cpu" else 1
    running: dict[Connection, int] = {}
    waiting = list(enumerate(units))
    while waiting or running:
        while waiting and len(running) < at_once:
            number, unit = waiting.pop(0)
            running[_fork(_cost, unit, tuple(asked["shape"]), asked["classes"])] = number
        for answer in wait(list(running)):
            assert isinstance(answer, Connection)
            found = {"unit": running.pop(answer), **_received(answer)}
            _say(out, found)


def _say(out: IO[str], answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=out, flush=True)


def _fork(function: Callable[..., dict[str, Any]], *given: Any) -> Connection:
    receive, send = multiprocessing.get_context("fork").Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_answered, args=(function, given, send), daemon=True)
    process.start()
    send.close()
    return receive


def _in_fork(function: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
    return _received(_fork(function, *given))


def _received(answer: Connection) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(answer.recv_bytes())
        return found
    except EOFError:
        return {"error": "a process that measures was ended, perhaps for want of memory"}


def _answered(function: Callable[..., dict[str, Any]], given: tuple[Any, ...], send: Connection) -> None:
    try:
        found = function(*given)
    except (UserError, ValueError, RuntimeError) as error:
        found = {"error": " ".join(str(error).split())}
    send.send_bytes(json.dumps(found).encode())


def _device() -> dict[str, Any]:
    from winnow.training.device import chosen_device

    return {"device": chosen_device().type}


def _memory(kind: str) -> int:
    """Bytes of this process: RssAnon, its own, RssFile, the files of libraries, which processes share, as far as it has
    used them, or VmRSS, both. What has been freed counts, as the C library keeps it (``keep_freed_memory``): so this is
    the most there was. Elsewhere than on Linux, the most that the process has had of all kinds."""
    try:
        about = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * int(next(line for line in about.splitlines() if line.startswith(f"{kind}:")).split()[1])
    except (FileNotFoundError, StopIteration):
        found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return found if sys.platform == "darwin" else 1024 * found


def _cost(unit: Unit, shape: tuple[int, int, int], classes: int) -> dict[str, Any]:
    """What one unit costs. Raises ValueError that names the network if it cannot do such work."""
    import torch

    from winnow.networks import build
    from winnow.params.training import Network
    from winnow.streams import torch_stream
    from winnow.training.device import chosen_device

    device, before = chosen_device(), _memory("RssAnon")
    params = Network.model_validate_json(unit.network)
    torch.manual_seed(torch_stream(0, "initialisation").initial_seed())
    try:
        network = build(params, classes, shape).to(device)
        seconds = UNITS[unit.kind](unit, network, shape, classes, device)
    except ValueError as error:
        raise ValueError(f"params.yaml: networks: {params.name}: {error}") from None
    memory = max(0, _memory("RssAnon") - before)
    files = _memory("RssFile") if LINUX else 0  # a fork begins with none, so some count twice
    if device.type == "cuda":
        memory = torch.cuda.max_memory_reserved()
    state = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    return {**asdict(Cost(seconds, memory, state)), "files": files}


def _images(count: int, shape: tuple[int, int, int], classes: int, device: "torch.device") -> "DeviceImages":
    """Random pixels and labels."""
    import torch

    from winnow.streams import torch_stream
    from winnow.training.batches import DeviceImages

    draws = torch_stream(0, "statistics")
    pixels = torch.randint(256, (count, *shape), dtype=torch.uint8, generator=draws)
    labels = torch.randint(classes, (count,), generator=draws)
    scale = torch.full((1, shape[0], 1, 1), 1 / 64)
    return DeviceImages(pixels.to(device), labels.to(device), scale.to(device), -2 * torch.ones_like(scale).to(device))


def _clock(device: "torch.device") -> float:
    """Seconds of this process's core; on a GPU those on the wall, once it has done what it was given."""
    if device.type == "cpu":
        return time.process_time()
    import torch

    torch.cuda.synchronize()
    return time.perf_counter()


def _timed(work: Callable[[], object], device: "torch.device", seconds: float = SECONDS) -> float:
    """Seconds that a call takes once it is warm: the mean of as many as fit in the seconds, of one at least."""
    work()
    begun, calls, over = _clock(device), 0, 0.0
    while not calls or (over < seconds and calls < 1000):
        work()
        calls, over = calls + 1, _clock(device) - begun
    return over / calls


def _steps(unit: Unit, network: "nn.Module", shape: Any, classes: int, device: "torch.device") -> float:
    """Of one step of unit.networks networks: of epochs of the training loop, on few images."""
    import copy

    from winnow.params.training import Training
    from winnow.pruning.masks import ones
    from winnow.training import loop, pretrain
    from winnow.training.schedule import make_schedule

    training = Training.model_validate_json(unit.training)
    batch = training.batch_size
    begin = []
    for seed in range(unit.networks):
        own = copy.deepcopy(network)
        if unit.kind == "twins":
            from winnow.params.training import Network

            own = pretrain.twins(Network.model_validate_json(unit.network), shape, seed).to(device)
        begin.append(loop.Beginning(own, seed, ones(own) if unit.masked else {}))
    runs = [loop.start(one, Path("unused")) for one in begin]
    one_epoch = pretrain.train_epoch if unit.kind == "twins" else loop.train_epoch
    graphed = device.type == "cuda" and unit.kind == "step"
    graphs = loop.graphed_steps(runs, training) if graphed else None

    def epoch(steps: int) -> Callable[[], None]:
        images = _images(batch * steps, shape, classes, device)
        schedule = make_schedule(training.model_copy(update={"length": "1000000 epochs"}), len(images))

        def work() -> None:
            for run in runs:
                run.epoch = run.step = 0  # the same epoch again, in time as any other
                run.records.clear()
            one_epoch(runs, images, training, schedule, graphs, ())

        return work

    once = _timed(epoch(1), device, SECONDS / 10)
    steps = max(1, min(STEPS, round(SECONDS / 2 / max(once, 1e-6))))
    return once if steps == 1 else _timed(epoch(steps), device) / steps


def _passes(_unit: Unit, network: "nn.Module", shape: Any, classes: int, device: "torch.device") -> float:
    from winnow.training.evaluate import log_probabilities

    images = _images(IMAGES, shape, classes, device)
    return _timed(lambda: log_probabilities(network, images), device) / IMAGES


def _gradients(unit: Unit, network: "nn.Module", shape: Any, classes: int, device: "torch.device") -> float:
    from winnow import methods
    from winnow.scores.families import OF_GRADIENTS
    from winnow.scores.gradients import BATCH, of_all

    score = methods.find(OF_GRADIENTS, unit.score)
    images = _images(BATCH, shape, classes, device)
    return _timed(lambda: of_all(score, network, images, lambda _: None), device) / BATCH


def _products(unit: Unit, network: "nn.Module", shape: Any, classes: int, device: "torch.device") -> float:
    import torch

    from winnow.landscape.hessian import hessian_product
    from winnow.landscape.live import count, live_entries
    from winnow.pruning.masks import ones

    live = live_entries(network, ones(network))
    product = hessian_product(network, _images(unit.group, shape, classes, device).batches(unit.group), live)
    vector = torch.ones(count(live), dtype=torch.float64)
    return _timed(lambda: product(vector), device) / unit.group


def _grams(unit: Unit, network: "nn.Module", shape: Any, classes: int, device: "torch.device") -> float:
    from winnow.autograd.ntk import gram
    from winnow.training.batches import normalise

    images = _images(unit.group, shape, classes, device)
    inputs = normalise(images.at(slice(None)), images)
    return _timed(lambda: gram(network, inputs), device)


UNITS = {
    "step": _steps,
    "twins": _steps,
    "pass": _passes,
    "gradient": _gradients,
    "product": _products,
    "gram": _grams,
}

if __name__ == "__main__":
    main()
