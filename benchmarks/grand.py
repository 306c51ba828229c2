"""Times exact per-example gradient norms against their alternatives, all in one run, and prints ratios.

    python benchmarks/grand.py [--quick] [--network resnet18|resnet20] [--out .bench/grand.json]

What is timed is timed in one of three places:

- "pipeline": one single-threaded process per core, all at work at once, each on a batch of its own, with freed memory
  kept. So the stage computes its norms (winnow.training.workers). The slowest process counts.
- "processes": the same processes, with torch's memory as it comes.
- "script": one process, all cores being threads of torch, which is how a plain script runs.

The alternatives take turns, so that whatever else the machine does meets them all alike; a ratio is that of two
neighbouring measurements, given as the median and the quartiles of all turns. For a quiet machine, "best" divides the
shortest times. Images are noise of CIFAR's shape, networks are freshly initialised: neither changes how long it takes.

What someone would otherwise run, torch.func or a loop, is measured as a script against the pipeline's way; a forward
pass, which is no alternative but a unit, in the same place as the norms. The other combinations stand beside them.

"Forward only" runs the network as it is built, in contiguous memory; "channels-last" is the same in that layout. All
ways get batches of the same size.

Beside the ratio to a forward pass stands what bounds it: how many multiplications a forward pass takes, over how many
the norms take, as if all were equally fast and nothing but multiplications took time.
"""

import argparse
import copy
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch
from timing import ratio, take_turns
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.gradient_norms import gradient_norms
from winnow.networks import initialise
from winnow.orphans import end_with_parent
from winnow.params.training import Network
from winnow.scores.gradients import BATCH
from winnow.training.device import workers
from winnow.training.memory import keep_freed_memory

SHAPE, CLASSES = (3, 32, 32), 10
CORES = workers(torch.device("cpu"))
NETWORKS = ("resnet18", "resnet20")
BATCHES = {"resnet18": 32, "resnet20": BATCH}


class Place(NamedTuple):
    """Where something is timed; see above."""

    processes: int
    threads: int
    keeps_memory: bool


PLACES = {"pipeline": Place(CORES, 1, True), "processes": Place(CORES, 1, False), "script": Place(1, CORES, False)}


class Timed(NamedTuple):
    """One thing that is timed: a way to compute something of a batch of n images, in one place."""

    way: str
    place: str
    network: str
    n: int


class Row(NamedTuple):
    """How many times as fast as ``slow`` is ``fast``; 0 stands for no target."""

    label: str
    slow: Timed
    fast: Timed
    target: float


def rows(network: str) -> list[Row]:
    """What is compared for one network."""
    n, found = BATCHES[network], []
    other, target = ("vmap", 6.5) if network == "resnet18" else ("loop", 4.0)
    forward_target = 0.35 if network == "resnet18" else 0.0

    def add(slow: str, slow_place: str, fast_place: str, target: float = 0.0, n: int = n) -> None:
        places = slow_place if slow_place == fast_place else f"{slow_place}, norms in {fast_place}"
        label = f"{network}, n = {n}: {slow}, {places}"
        found.append(Row(label, Timed(slow, slow_place, network, n), Timed("norms", fast_place, network, n), target))

    add(other, "script", "pipeline", target)
    add(other, "processes", "processes")
    add(other, "script", "script")
    if network == "resnet20":
        add(other, "pipeline", "pipeline")
        add(other, "script", "pipeline", n=32)
    for place in ("processes", "pipeline", "script"):
        add("forward", place, place, forward_target if place == "processes" else 0.0)
        add("forward_channels_last", place, place)
    add("step", "pipeline", "pipeline")
    return found


def example(name: str, n: int, channels_last: bool = False) -> tuple[nn.Module, Tensor, Tensor]:
    """A network in evaluation mode, n images and their labels."""
    generator = torch.Generator().manual_seed(0)
    network = initialise(Network(name=name), CLASSES, SHAPE, seed=0).eval()
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
    return network, torch.randn(n, *SHAPE, generator=generator), torch.randint(CLASSES, (n,), generator=generator)


def forward_only(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    with torch.no_grad():
        return network(images)


def forward_channels_last(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """A forward pass in channels-last memory; the network is there already."""
    with torch.no_grad():
        return network(images.contiguous(memory_format=torch.channels_last))


def training_step(network: nn.Module, images: Tensor, labels: Tensor) -> None:
    network.zero_grad()
    functional.cross_entropy(network(images), labels).backward()


def by_vmap(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """torch.func's way: the gradient of every example, of which the norm is taken."""
    weights = {name: weight.detach() for name, weight in network.named_parameters()}
    buffers = dict(network.named_buffers())

    def loss(weights: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        logits = torch.func.functional_call(network, (weights, buffers), (image[None],))
        return functional.cross_entropy(logits, label[None])

    gradients = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(weights, images, labels)
    return torch.stack([g.flatten(1).square().sum(1) for g in gradients.values()]).sum(0).sqrt()


def one_by_one(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """One forward and one backward pass for each example."""
    weights, norms = list(network.parameters()), []
    for image, label in zip(images.split(1), labels.split(1), strict=True):
        gradients = torch.autograd.grad(functional.cross_entropy(network(image), label), weights)
        norms.append(torch.stack([g.square().sum() for g in gradients]).sum().sqrt())
    return torch.stack(norms)


WAYS: dict[str, Callable[[nn.Module, Tensor, Tensor], Any]] = {
    "norms": gradient_norms,
    "forward": forward_only,
    "forward_channels_last": forward_channels_last,
    "step": training_step,
    "vmap": by_vmap,
    "loop": one_by_one,
}
CHANNELS_LAST = {"norms", "forward_channels_last"}  # the stage too brings its network there


def _serve(place: Place, orders: Connection, parent: int) -> None:
    """Do what is asked for, until nothing is."""
    end_with_parent(parent)
    _enter(place)
    given = cache(example)
    while (order := orders.recv()) is not None:
        way, name, n = order
        WAYS[way](*given(name, n, way in CHANNELS_LAST))
        orders.send(None)


def _enter(place: Place) -> None:
    torch.set_num_threads(place.threads)
    if place.keeps_memory:
        keep_freed_memory()


def _send(order: Any, to: list[Connection]) -> None:
    for connection in to:
        connection.send(order)


def speed(timed: list[Timed], turns: int) -> dict[Timed, list[float]]:
    """Seconds per image of everything that is to be timed, in every turn.

    The processes are forked once, and before torch has started any thread in this one.
    """
    context = multiprocessing.get_context("fork")
    connections: dict[str, list[Connection]] = {}
    for name, place in PLACES.items():
        pairs = [context.Pipe() for _ in range(place.processes)]
        for _, end in pairs:
            context.Process(target=_serve, args=(place, end, os.getpid()), daemon=True).start()
        connections[name] = [end for end, _ in pairs]

    def call(what: Timed) -> None:
        _send((what.way, what.network, what.n), connections[what.place])
        for connection in connections[what.place]:
            connection.recv()

    calls = {"/".join(map(str, what)): partial(call, what) for what in timed}
    seconds = take_turns(calls, turns)
    for ends in connections.values():
        _send(None, ends)
    images = [what.n * PLACES[what.place].processes for what in timed]
    return {what: [s / n for s in values] for what, n, values in zip(timed, images, seconds.values(), strict=True)}


def multiplications(name: str) -> dict[str, float]:
    """Millions of multiplications for one image, in convolutions and linear layers, and the best ratio they allow.

    forward: as defined, without a fast transform. towards_inputs: as many, but none in the first layer. norms: in every
    layer the fewer of forming its weight gradient (as many again), and of the products of all pairs of positions, each
    pair counted once: P (P + 1) / 2 pairs of P positions, or of pixels, which neighbouring patches share.
    """
    network, images, labels = example(name, 1)
    counts: list[tuple[int, int]] = []

    def count(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        positions, (g, a) = output[0, 0].numel() if output.dim() == 4 else 1, layer.weight.flatten(1).shape
        entries, pairs = positions * a * g, positions * (positions + 1) // 2 * (a + g)
        if isinstance(layer, nn.Conv2d) and layer.stride == (1, 1):
            pixels = inputs[0][0, 0].numel()
            of_pixels = pixels * (pixels + 1) // 2 * inputs[0].shape[1]
            pairs = min(pairs, of_pixels + positions * (positions + 1) // 2 * g)
        counts.append((entries, min(entries, pairs)))

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    forward_only(network, images, labels)
    forward, norms = (sum(values) for values in zip(*counts, strict=True))
    towards_inputs = forward - counts[0][0]
    return {
        "forward": forward / 1e6,
        "towards_inputs": towards_inputs / 1e6,
        "norms": norms / 1e6,
        "bound": forward / (forward + towards_inputs + norms),
    }


def errors(name: str, n: int) -> dict[str, float]:
    """The largest relative error of n norms, and of one backward pass per example in float32 too, against float64."""
    network, images, labels = example(name, n)
    with torch.no_grad():
        for weight in list(network.parameters())[-2:]:
            weight.mul_(
                0.1
            )  # a fresh network is so sure of itself in evaluation mode that p - y has no digits to compare
    exact = one_by_one(copy.deepcopy(network).double(), images.double(), labels)
    ways = {"norms": gradient_norms, "loop": one_by_one}
    return {key: ((way(network, images, labels) - exact).abs() / exact).max().item() for key, way in ways.items()}


def peak_memory(what: str, place: str, name: str, n: int) -> float:
    """MiB that one call takes at its peak, beside what the process held before; in a process of its own."""
    command = [sys.executable, __file__, "--memory", what, place, name, str(n)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _measure_memory(what: str, place: str, name: str, n: int) -> None:
    _enter(PLACES[place])
    given, done, peak = example(name, n, what in CHANNELS_LAST), threading.Event(), [0]

    def watch() -> None:
        while not done.wait(0.001):
            peak[0] = max(peak[0], _resident())

    before, watcher = _resident(), threading.Thread(target=watch)
    watcher.start()
    WAYS[what](*given)
    done.set()
    watcher.join()
    sys.stdout.write(f"{(peak[0] - before) / 2**20}\n")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Time exact per-example gradient norms against their alternatives.")
    parser.add_argument("--quick", action="store_true", help="fewer repeats, and only what has a target")
    parser.add_argument("--network", choices=NETWORKS, action="append", help="of one network only")
    parser.add_argument("--out", type=Path, default=Path(".bench/grand.json"))
    parser.add_argument("--memory", nargs=4, metavar=("WHAT", "PLACE", "NETWORK", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        what, place, name, n = options.memory
        _measure_memory(what, place, name, int(n))
        return

    turns, names = 2 if options.quick else 5, options.network or NETWORKS
    compared = [row for name in names for row in rows(name) if row.target or not options.quick]
    seconds = speed(list(dict.fromkeys(timed for row in compared for timed in (row.slow, row.fast))), turns)
    results = {row.label: ratio(seconds[row.slow], seconds[row.fast], row.target) for row in compared}
    bounds = {name: multiplications(name) for name in names}
    error = {name: errors(name, 4 if options.quick else 16) for name in names}
    memory = {
        f"{name}, {place}": {what: peak_memory(what, place, name, BATCHES[name]) for what in ("norms", "step")}
        for name in names
        for place in (("pipeline",) if options.quick else ("pipeline", "script"))
    }

    print(f"{CORES} cores, torch {torch.__version__}, {turns} turns; how many times as fast as ... the norms are:")
    for label, r in results.items():
        target = f"   (target {r['target']:g})" if r["target"] else ""
        spread = f"{r['lower_quartile']:.2f} to {r['upper_quartile']:.2f}"
        print(f"{label:60} {r['median']:6.2f}   {spread:14} best {r['best']:6.2f}{target}")
    for what, values in seconds.items():
        middle = median(values)
        label = f"{what.network}, n = {what.n}: {what.way}, {what.place}"
        print(f"{label:60} {1000 * middle:6.2f} ms per image, {1 / middle:.0f} images per second")
    for name, b in bounds.items():
        parts = ", ".join(f"{part} {b[part]:.0f}" for part in ("forward", "towards_inputs", "norms"))
        print(f"{name}: millions of multiplications: {parts}; forward over all {b['bound']:.2f}")
    for name, e in error.items():
        print(f"{name}: largest relative error {e['norms']:.1e}, one by one {e['loop']:.1e}   (target 1e-5)")
    for label, m in memory.items():
        print(f"{label}: peak memory over that of a training step {m['norms'] / m['step']:.2f}   (target at most 2)")

    options.out.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "cores": CORES,
        "torch": torch.__version__,
        "batch": BATCHES,
        "ratios": results,
        "million_multiplications": bounds,
        "largest_relative_error": error,
        "peak_memory_mib": memory,
        "seconds_per_image": {", ".join(map(str, what)): values for what, values in seconds.items()},
    }
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
