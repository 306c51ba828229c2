"""Times criteria that score weights against a training step, all in one run, and prints ratios.

    python benchmarks/criteria.py [--quick] [--out .bench/criteria.json]

A ResNet-20 and 128 images of noise of CIFAR's shape. A training step is forward, backward and SGD with momentum on the
same images, as torch does it. The alternatives take turns, so that whatever else the machine does meets them all alike;
a number is the time of a criterion over that of the neighbouring training step, given as the median and the quartiles
of all turns. A criterion's time includes the copy of the network that it scores. Criteria that take one gradient should
need no more than 1.3 training steps.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from timing import ratio, take_turns
from torch.nn import functional

from winnow import methods
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.context import Context
from winnow.pruning.families import CRITERIA
from winnow.pruning.masks import ones

CLASSES, SHAPE, IMAGES = 10, (3, 32, 32), 128
TARGETS = {"snip": 1.3, "taylor": 1.3}  # in training steps
OTHERS = ["magnitude", "synflow", "wanda", "beta_rank", "lrp", "obd", "grasp"]  # others take many gradients


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Time criteria against a training step.")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--out", type=Path, default=Path(".bench/criteria.json"))
    options = parser.parse_args()

    draws = torch.Generator().manual_seed(0)
    inputs = torch.randn(IMAGES, *SHAPE, generator=draws).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(CLASSES, (IMAGES,), generator=draws)
    network = initialise(Network(name="resnet20"), CLASSES, SHAPE, seed=0).to(memory_format=torch.channels_last)
    context = Context(network, ones(network), lambda count, size: [(inputs[:size], labels[:size])] * count)
    trained = initialise(Network(name="resnet20"), CLASSES, SHAPE, seed=0).to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(trained.parameters(), 0.05, momentum=0.9)

    def step() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(trained(inputs), labels).backward()
        optimiser.step()

    calls: dict[str, Callable[[], Any]] = {"step": step}
    calls |= {name: partial(methods.find(CRITERIA, name), context) for name in [*TARGETS, *OTHERS]}
    seconds = take_turns(calls, 5 if options.quick else 20)
    results = {name: ratio(seconds[name], seconds["step"], TARGETS.get(name, 0.0)) for name in [*TARGETS, *OTHERS]}

    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, resnet20, {IMAGES} images")
    for name, r in results.items():
        target = f"(target {r['target']:g} or less)" if r["target"] else ""
        print(
            f"{name:10} {r['median']:6.2f} training steps   "
            f"{r['lower_quartile']:.2f} to {r['upper_quartile']:.2f}   best {r['best']:.2f}   {target}"
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    record = {"threads": torch.get_num_threads(), "torch": torch.__version__, "ratios": results, "seconds": seconds}
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
