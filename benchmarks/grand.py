"""Times exact per-example gradient norms against their alternatives, all in one run, and prints ratios.

    python benchmarks/grand.py [--quick] [--threads N] [--out .bench/grand.json]

The alternatives take turns, so that whatever else the machine does meets them all alike; a ratio is that of two
neighbouring measurements, given as the median and the quartiles of all turns. For a quiet machine, "best" divides the
shortest times. Images are noise of CIFAR's shape, networks are freshly initialised: neither changes how long it takes.

"Forward only" runs the network as it is built, in contiguous memory; "channels-last" is the same in that layout. All
ways get the same batch and the same number of threads.

Beside the ratio to a forward pass stands what bounds it: how many multiplications a forward pass takes, over how many
the norms take, as if all were equally fast and nothing but multiplications took time.
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
from statistics import median
from typing import Any

import torch
from timing import ratio, take_turns
from torch import Tensor, nn
from torch.nn import functional

from winnow.networks import initialise
from winnow.params.training import Network
from winnow.scores.gradients import gradient_norms

SHAPE, CLASSES = (3, 32, 32), 10
BATCH = {"resnet18": 32, "resnet20": 64}


def example(name: str, n: int) -> tuple[nn.Module, Tensor, Tensor]:
    """A network in evaluation mode, n images and their labels."""
    generator = torch.Generator().manual_seed(0)
    network = initialise(Network(name=name), CLASSES, SHAPE, seed=0).eval()
    return network, torch.randn(n, *SHAPE, generator=generator), torch.randint(CLASSES, (n,), generator=generator)


def forward_only(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    with torch.no_grad():
        return network(images)


def forward_channels_last(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """A forward pass in channels-last memory; the network has been brought there before."""
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


def speed(name: str, turns: int) -> dict[str, list[float]]:
    """Seconds per image of each way to get the norms of a batch, and of a forward pass."""
    n = BATCH[name]
    given = example(name, n)
    ways = {"norms": gradient_norms, "forward": forward_only, "step": training_step}
    ways |= {"vmap": by_vmap} if name == "resnet18" else {"loop": one_by_one}
    calls: dict[str, Callable[[], Any]] = {key: partial(way, *given) for key, way in ways.items()}
    moved = copy.deepcopy(given[0]).to(memory_format=torch.channels_last)
    calls["forward_channels_last"] = partial(forward_channels_last, moved, *given[1:])
    seconds = take_turns(calls, turns)
    return {key: [s / n for s in values] for key, values in seconds.items()}


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


def peak_memory(what: str, name: str, n: int) -> float:
    """MiB that one call takes at its peak, beside what the process held before; in a process of its own."""
    command = [sys.executable, __file__, "--memory", what, name, str(n)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _measure_memory(what: str, name: str, n: int) -> None:
    given, done, peak = example(name, n), threading.Event(), [0]

    def watch() -> None:
        while not done.wait(0.001):
            peak[0] = max(peak[0], _resident())

    before, watcher = _resident(), threading.Thread(target=watch)
    watcher.start()
    {"norms": gradient_norms, "step": training_step}[what](*given)
    done.set()
    watcher.join()
    sys.stdout.write(f"{(peak[0] - before) / 2**20}\n")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Time exact per-example gradient norms against their alternatives.")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path(".bench/grand.json"))
    parser.add_argument("--memory", nargs=3, metavar=("WHAT", "NETWORK", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        _measure_memory(options.memory[0], options.memory[1], int(options.memory[2]))
        return

    torch.set_num_threads(options.threads)
    turns = 3 if options.quick else 9
    deep, small = speed("resnet18", turns), speed("resnet20", turns)
    results: dict[str, dict[str, float]] = {
        "resnet18: rate over vmap(grad)": ratio(deep["vmap"], deep["norms"], 6.5),
        "resnet18: rate over forward only": ratio(deep["forward"], deep["norms"], 0.35),
        "resnet18: rate over training step": ratio(deep["step"], deep["norms"], 1.0),
        "resnet20: rate over one by one": ratio(small["loop"], small["norms"], 4.0),
        "resnet20: rate over forward only": ratio(small["forward"], small["norms"], 0.0),
    }
    for name, seconds in (("resnet18", deep), ("resnet20", small)):
        slower = ratio(seconds["forward_channels_last"], seconds["norms"], 0.0)
        results[f"{name}: over forward channels-last"] = slower
    bounds = {name: multiplications(name) for name in ("resnet18", "resnet20")}
    error = {name: errors(name, 4 if options.quick else 16) for name in ("resnet18", "resnet20")}
    memory = {what: peak_memory(what, "resnet18", BATCH["resnet18"]) for what in ("norms", "step")}

    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, batches of {BATCH}, {turns} turns")
    for name, r in results.items():
        target = f"   (target {r['target']:g})" if r["target"] else ""
        spread = f"{r['lower_quartile']:.2f} to {r['upper_quartile']:.2f}"
        print(f"{name:36} {r['median']:7.2f}   {spread:16} best {r['best']:6.2f}{target}")
    for name, seconds in (("resnet18", deep), ("resnet20", small)):
        rates = ", ".join(f"{way} {1 / median(s):.0f}" for way, s in seconds.items())
        print(f"{name}: images per second, median: {rates}")
    for name, b in bounds.items():
        parts = ", ".join(f"{part} {b[part]:.0f}" for part in ("forward", "towards_inputs", "norms"))
        measured = results[f"{name}: rate over forward only"]["median"]
        print(
            f"{name}: millions of multiplications: {parts}; forward over all {b['bound']:.2f}, measured {measured:.2f}"
        )
    for name, e in error.items():
        print(f"{name}: largest relative error     {e['norms']:9.1e}   one by one {e['loop']:.1e}   (target 1e-5)")
    print(f"resnet18: peak memory over a step    {memory['norms'] / memory['step']:6.2f}   (target at most 2)")

    options.out.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "batch": BATCH,
        "ratios": results,
        "million_multiplications": bounds,
        "largest_relative_error": error,
        "peak_memory_mib": memory,
        "seconds_per_image": {"resnet18": deep, "resnet20": small},
    }
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
