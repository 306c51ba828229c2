"""The live weights of a network, those that its mask keeps, as one vector."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor, nn


def live_entries(
    network: nn.Module, mask: Mapping[str, Tensor], names: Iterable[str] | None = None
) -> dict[str, Tensor]:
    """Which entries of which parameters are live: bool tensors by name, in the network's own order.

    names: the parameters to include, by default all that train. mask: bool tensors by the names of prunable parameters;
    all entries of a parameter that it does not name are live.
    """
    chosen = {name for name, p in network.named_parameters() if p.requires_grad} if names is None else set(names)
    return {
        name: mask[name].to(p.device) if name in mask else torch.ones_like(p, dtype=torch.bool)
        for name, p in network.named_parameters()
        if name in chosen
    }


def count(live: Mapping[str, Tensor]) -> int:
    """How many weights are live."""
    return sum(int(entries.sum()) for entries in live.values())


def gather(tensors: Mapping[str, Tensor], live: Mapping[str, Tensor]) -> Tensor:
    """The live entries of tensors (weights, or a gradient) as one vector [count(live)]."""
    return torch.cat([tensors[name][entries] for name, entries in live.items()])


def scatter(vector: Tensor, live: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of ``gather``: tensors with the entries of a vector [count(live)] at the live places, and zeros
    elsewhere."""
    tensors = {}
    for name, part in zip(live, vector.split([int(e.sum()) for e in live.values()]), strict=True):
        tensors[name] = vector.new_zeros(live[name].shape).masked_scatter_(live[name], part)
    return tensors


def distance(a: Mapping[str, Tensor], b: Mapping[str, Tensor], names: Iterable[str]) -> float:
    """The L2 distance between two states over the parameters of these names."""
    return float(np.sqrt(sum(float((a[name].double() - b[name].double()).square().sum()) for name in names)))
