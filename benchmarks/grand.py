"""Times exact per-example gradient norms against their alternatives, all in one run, and prints ratios.

    python benchmarks/grand.py [--quick] [--out .bench/grand.json]

The alternatives take turns, so that whatever else the machine does meets them all alike; a ratio is that of two
neighbouring measurements, given as the median and the quartiles of all turns. For a quiet machine, "best" divides the
shortest times. Images are noise of CIFAR's shape, networks are freshly initialised: neither changes how long it takes.
"""

import argparse
import copy
import json
import resource
import subprocess
import sys
import threading
from pathlib import Path

import torch
from timing import ratio, take_turns
from torch import Tensor, nn
from torch.nn import functional

from winnow.networks import initialise
from winnow.params.training import Network
from winnow.scores.gradients import gradient_norms

SHAPE, CLASSES = (3, 32, 32), 10


def example(name: str, n: int) -> tuple[nn.Module, Tensor, Tensor]:
    """A network in evaluation mode, n images and their labels."""
    generator = torch.Generator().manual_seed(0)
    network = initialise(Network(name=name), CLASSES, SHAPE, seed=0).eval()
    return network, torch.randn(n, *SHAPE, generator=generator), torch.randint(CLASSES, (n,), generator=generator)


def forward_only(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    with torch.no_grad():
        return network(images)


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


def speed(name: str, n: int, turns: int) -> dict[str, list[float]]:
    """Seconds per image of each way to get the norms of n images, and of a forward pass."""
    given = example(name, n)
    ways = {"norms": gradient_norms, "forward": forward_only, "step": training_step}
    ways |= {"vmap": by_vmap} if name == "resnet18" else {"loop": one_by_one}
    seconds = take_turns({key: lambda way=way: way(*given) for key, way in ways.items()}, turns)  # type: ignore[misc]
    return {key: [s / n for s in values] for key, values in seconds.items()}


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
    parser.add_argument("--out", type=Path, default=Path(".bench/grand.json"))
    parser.add_argument("--memory", nargs=3, metavar=("WHAT", "NETWORK", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        _measure_memory(options.memory[0], options.memory[1], int(options.memory[2]))
        return

    turns, n = 3 if options.quick else 9, 32
    deep, small = speed("resnet18", n, turns), speed("resnet20", n, turns)
    results: dict[str, dict[str, float]] = {
        "resnet18: rate over vmap(grad)": ratio(deep["vmap"], deep["norms"], 6.5),
        "resnet18: rate over forward only": ratio(deep["forward"], deep["norms"], 0.35),
        "resnet18: rate over training step": ratio(deep["step"], deep["norms"], 1.0),
        "resnet20: rate over one by one": ratio(small["loop"], small["norms"], 4.0),
        "resnet20: rate over forward only": ratio(small["forward"], small["norms"], 0.0),
    }
    error = {name: errors(name, 4 if options.quick else 16) for name in ("resnet18", "resnet20")}
    memory = {what: peak_memory(what, "resnet18", n) for what in ("norms", "step")}

    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, batches of {n}, {turns} turns")
    for name, r in results.items():
        target = f"   (target {r['target']:g})" if r["target"] else ""
        spread = f"{r['lower_quartile']:.2f} to {r['upper_quartile']:.2f}"
        print(f"{name:36} {r['median']:7.2f}   {spread:16} best {r['best']:6.2f}{target}")
    for name, e in error.items():
        print(f"{name}: largest relative error     {e['norms']:9.1e}   one by one {e['loop']:.1e}   (target 1e-5)")
    print(f"resnet18: peak memory over a step    {memory['norms'] / memory['step']:6.2f}   (target at most 2)")

    options.out.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "batch": n,
        "ratios": results,
        "largest_relative_error": error,
        "peak_memory_mib": memory,
        "seconds_per_image": {"resnet18": deep, "resnet20": small},
    }
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
