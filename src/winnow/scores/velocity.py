"""How fast the neural tangent kernel of groups of images turns, in the networks that early training kept."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from winnow.autograd.ntk import gram, velocity
from winnow.datasets.images import load_facts, load_split
from winnow.networks import build
from winnow.params.training import Network
from winnow.progress import Bar
from winnow.scores.runs import EarlyRuns
from winnow.storage import load_table, load_tensors, save_table
from winnow.training.batches import DeviceImages, normalise, to_device
from winnow.training.checkpoint import load_network
from winnow.training.device import chosen_device, workers
from winnow.training.workers import Tick, side_by_side

COLUMNS = {"seed": int, "epoch": int, "next_epoch": int, "group": int, "velocity": float}


def compute(
    runs: EarlyRuns, groups: Sequence[np.ndarray], epochs: Sequence[int] | None, network: Network, working: Path
) -> pd.DataFrame:
    """The velocity of every group's kernel from each of the epochs to the next one that was kept, without augmentation.

    groups: rows of training images, int64 [m] each. epochs: of those kept; None for all but the last. Returns one row
    per seed, epoch and group: seed, epoch, next_epoch, group and velocity (autograd.ntk).

    One job per seed: a call that was interrupted finds the finished seeds in ``working``. Raises ValueError if the
    network has weights whose gradients are not covered.
    """
    steps = [step for step in zip(runs.epochs, runs.epochs[1:], strict=False) if epochs is None or step[0] in epochs]
    if not steps:
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    facts = load_facts(runs.dataset)
    images = to_device(load_split(runs.dataset, "train"), facts, chosen_device())
    working.mkdir(parents=True, exist_ok=True)

    def file(seed: int) -> Path:
        return working / f"seed{seed}.parquet"

    def kept(seed: int, epoch: int) -> nn.Module:
        module = build(network, len(facts["class_names"]), images.shape)
        load_network(module, load_tensors(runs.checkpoint(seed, epoch)))
        return module.to(images.device)

    def work(seed: int, tick: Tick) -> None:
        if not file(seed).exists():
            networks = {epoch: kept(seed, epoch) for epoch in sorted({epoch for step in steps for epoch in step})}
            rows = []
            for group, members in enumerate(groups):
                found = velocities(networks, inputs_of(images, members), steps)
                rows += [(seed, *step, group, value) for step, value in zip(steps, found, strict=True)]
                tick(1)
            save_table(file(seed), pd.DataFrame(rows, columns=list(COLUMNS)))
        else:
            tick(len(groups))

    side_by_side(work, runs.seeds, workers(images.device), Bar(len(runs.seeds) * len(groups), "ntk", "group"))
    return pd.concat([load_table(file(seed)) for seed in runs.seeds], ignore_index=True)


def inputs_of(images: DeviceImages, rows: np.ndarray) -> Tensor:
    """Some images as the network takes them."""
    return normalise(images.at(torch.from_numpy(rows).to(images.device)), images)


def velocities(networks: dict[int, nn.Module], inputs: Tensor, steps: Sequence[tuple[int, int]]) -> list[float]:
    """Of one group's kernel in each step from a network to another. Two Gram matrices at most are in memory."""
    found: list[float] = []
    last: tuple[int, Tensor] | None = None
    for before, after in steps:
        first = last[1] if last and last[0] == before else gram(networks[before], inputs)
        last = after, gram(networks[after], inputs)
        found.append(velocity(first, last[1]))
    return found
