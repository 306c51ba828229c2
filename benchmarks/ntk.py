"""Times the Gram matrix of all logits' gradients against the product of dense Jacobians, and measures its peak memory.

    python benchmarks/ntk.py [--quick] [--network convnet|resnet8|resnet18] [--out .bench/ntk.json]

The alternative is torch.func: vmap of jacrev over the images, and the sum over all weights of their Jacobian's product
with itself. The Jacobians of all weights are in memory then, but are not brought into one matrix, which would take as
much again. Both run in one process on one thread, which is how the stage works, and take turns; a ratio is that of two
neighbouring measurements, given as median and quartiles. Memory is what a process of its own takes at its peak, beside
what it held after a call with one image. Images are noise, networks freshly initialised: neither changes the time.
"""

import argparse
import copy
import json
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from timing import ratio, take_turns
from torch import Tensor, nn

from winnow.autograd.ntk import gram
from winnow.networks import initialise
from winnow.params.training import Network

FASTER, LESS_MEMORY, ERROR = 3.0, 0.25, 1e-4  # the targets


class Case(NamedTuple):
    """A network, the shape of its images, and how many there are; there are ten classes."""

    name: str
    width: int
    shape: tuple[int, int, int]
    images: int


CASES = {
    "convnet": Case("convnet", 16, (1, 8, 8), 20),  # the default experiment
    "resnet8": Case("resnet8", 16, (3, 32, 32), 20),
    "resnet18": Case("resnet18", 32, (3, 32, 32), 10),
}


def example(case: Case) -> tuple[nn.Module, Tensor]:
    """A network in evaluation mode, and its images."""
    network = initialise(Network(name=case.name, width=case.width), 10, case.shape, seed=0).eval()
    return network, torch.randn(case.images, *case.shape, generator=torch.Generator().manual_seed(0))


def by_jacobian(network: nn.Module, images: Tensor) -> Tensor:
    """The definition: the Jacobian of the logits times itself."""
    weights = {name: weight.detach() for name, weight in network.named_parameters()}
    buffers = dict(network.named_buffers())

    def logits(weights: dict[str, Tensor], image: Tensor) -> Tensor:
        return torch.func.functional_call(network, (weights, buffers), (image[None],))[0]

    jacobians = torch.func.vmap(torch.func.jacrev(logits), (None, 0))(weights, images)
    size = images.shape[0] * next(iter(jacobians.values())).shape[1]
    total = images.new_zeros(size, size)
    for jacobian in jacobians.values():
        rows = jacobian.reshape(size, -1)
        total.addmm_(rows, rows.T)
    return total


WAYS: dict[str, Callable[[nn.Module, Tensor], Tensor]] = {"gram": gram, "jacobian": by_jacobian}


def error(case: Case) -> float:
    """The largest difference from the dense product in float64, over the largest entry."""
    network, images = example(case)
    exact = by_jacobian(copy.deepcopy(network).double(), images.double())
    return float((gram(network, images) - exact).abs().max() / exact.abs().max())


def peak_memory(way: str, name: str) -> float:
    """MiB that one call takes at its peak, in a process of its own."""
    command = [sys.executable, __file__, "--memory", way, name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _measure_memory(way: str, case: Case) -> None:
    network, images = example(case)
    WAYS[way](network, images[:1])
    done, peak = threading.Event(), [0]

    def watch() -> None:
        while not done.wait(0.0005):
            peak[0] = max(peak[0], _resident())

    before, watcher = _resident(), threading.Thread(target=watch)
    watcher.start()
    WAYS[way](network, images)
    done.set()
    watcher.join()
    sys.stdout.write(f"{(peak[0] - before) / 2**20}\n")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="The Gram matrix of gradients against the product of dense Jacobians.")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--network", choices=CASES, action="append", help="of one network only")
    parser.add_argument("--out", type=Path, default=Path(".bench/ntk.json"))
    parser.add_argument("--memory", nargs=2, metavar=("WAY", "NETWORK"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.memory:
        _measure_memory(options.memory[0], CASES[options.memory[1]])
        return
    results = {}
    for name in options.network or CASES:
        given = example(CASES[name])
        seconds = take_turns({way: partial(WAYS[way], *given) for way in WAYS}, 3 if options.quick else 7)
        memory = {way: peak_memory(way, name) for way in WAYS}
        time = ratio(seconds["jacobian"], seconds["gram"], FASTER)
        results[name] = {"time": time, "memory": memory, "error": error(CASES[name])}
        spread = f"{time['lower_quartile']:.1f} to {time['upper_quartile']:.1f}"
        print(
            f"{name}, {CASES[name].images} images: {1000 * min(seconds['gram']):.0f} ms; "
            f"{time['median']:.1f} times as fast as the dense product ({spread}; target {FASTER:g}); "
            f"peak memory {memory['gram']:.0f} MiB, {memory['gram'] / memory['jacobian']:.2f} of the dense product's "
            f"(target {LESS_MEMORY:g}); error {results[name]['error']:.0e} (target {ERROR:g})",
            flush=True,
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"torch": torch.__version__, **results}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
