"""Times training steps with a mask that changes, with one that stays, and without a mask, by turns.

    python benchmarks/moving.py [--network resnet8] [--width 16] [--batch 64] [--optimiser sgd] [--steps 100]
                                [--turns 5] [--every 100] [--out .bench/moving.json]

Every turn takes so many steps of each training. A method that changes its mask every 100 steps does so once in a turn.
The mask that stays has half of the weights, at random. ``--network lenet_300_100 --batch 60 --optimiser adam`` are
steps in which holding weights at zero is a large part: linear layers compute little with each weight.
"""

import argparse
import statistics
from pathlib import Path

import numpy as np
import torch
from timing import ratio, take_turns

from winnow.networks import build
from winnow.params.training import Network, Training
from winnow.pruning.during.gradual import gradual
from winnow.pruning.during.granet import granet
from winnow.pruning.during.rigl import rigl
from winnow.pruning.during.sparse_evolution import sparse_evolution
from winnow.pruning.during_level import During
from winnow.pruning.masks import count_left, ones
from winnow.pruning.prune import prune
from winnow.storage import save_json
from winnow.training.loop import Beginning, Changes, Run, change_mask, start, take_step

TARGET = 1.05  # at most, of a dense step


def by_magnitude(run: Run, left: int) -> None:
    scores = {name: run.network.get_parameter(name).detach().abs() for name in run.mask}
    change_mask(run, prune(scores, run.mask, left))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="resnet8")
    parser.add_argument("--width", type=int, default=None)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--optimiser", choices=["sgd", "adam", "adamw"], default="sgd")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path(".bench/moving.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)  # as a training on a CPU
    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(rng.standard_normal((given.batch, 3, 32, 32), np.float32))
    inputs, labels = inputs.to(memory_format=torch.channels_last), torch.from_numpy(rng.integers(10, size=given.batch))
    steps = given.steps * (given.turns + 1)

    def run_of(name: str, density: float) -> Run:
        torch.manual_seed(0)
        network = build(Network(name=given.network, width=given.width), 10, (3, 32, 32)).train()
        mask = ones(network)
        left = round(density * count_left(mask))
        scores = {layer: torch.from_numpy(rng.random(tuple(kept.shape))) for layer, kept in mask.items()}
        run = start(Beginning(network, 0, {} if name == "dense" else prune(scores, mask, left)), Path(name))
        before, cuts = count_left(run.mask), round(0.75 * steps / given.every)
        level = During(0, round(steps / 0.75), before, before // 10, by_magnitude)
        changes: dict[str, Changes] = {
            "rigl": rigl(level, every=given.every),
            "sparse_evolution": sparse_evolution(level, every=given.every),
            "gradual": gradual(level, cuts=cuts),
            "granet": granet(level, cuts=cuts),
        }
        run.changes = changes.get(name)
        return run

    densities = {"dense": 1.0, "still": 0.5, "rigl": 0.1, "sparse_evolution": 0.1, "gradual": 1.0, "granet": 1.0}
    runs, training = (
        {name: run_of(name, density) for name, density in densities.items()},
        Training(optimiser=given.optimiser),
    )

    def take(run: Run) -> None:
        for _ in range(given.steps):
            run.step += 1
            take_step(run, training, None, inputs, labels, 0.01)

    seconds = take_turns({name: lambda run=run: take(run) for name, run in runs.items()}, given.turns)
    found = {name: ratio(times, seconds["dense"], TARGET) for name, times in seconds.items() if name != "dense"}
    milliseconds = 1000 * statistics.median(seconds["dense"]) / given.steps
    print(f"dense: {milliseconds:.1f} ms a step")
    for name, ratios in found.items():
        print(f"{name}: {ratios['median']:.3f} of a dense step [{ratios['best']:.3f} at best], at most {TARGET}")
    save_json(given.out, {"milliseconds": milliseconds, **found})


if __name__ == "__main__":
    main()
