"""From scores to a mask: what an allocation leaves of every layer.

Layers are taken in the alphabetical order of their names wherever an order matters: that of a dict changes on the way
through a file.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from winnow.pruning.allocations.global_ import global_
from winnow.pruning.context import Scores
from winnow.pruning.layers import Layer, Layers, lowest
from winnow.pruning.masks import Mask, count_left, layer_counts, layer_sizes, whole

Allocation = Callable[[Layers, int], dict[str, int]]


def prune(
    scores: Scores,
    mask: Mapping[str, Tensor],
    left: int,
    allocation: Allocation = global_,
    floor: int | float = 0,
    anywhere: bool = False,
) -> Mask:
    """Keep ``left`` of the weights that the mask leaves. The allocation says how many each layer keeps; the highest
    scores stay. Where scores are equal, as zeros are, the weights that come first are cut first.

    scores: by name, of the shapes of the mask's; others are not looked at. floor: how many weights every layer keeps at
    least, an int, or a fraction of its size, a float (rounded up), against layers that vanish and take the network's
    function with them. A layer with fewer left keeps those. What a layer is spared is cut elsewhere, so that the
    number left is exact. anywhere: whether weights that the mask has cut may take the places of others.

    Raises ValueError if the floors together are above ``left``, or a score is no number. Returns a mask on the CPU.
    """
    alive, least = _flat(mask), floors(mask, floor)
    if not 0 <= left <= count_left(mask):
        raise ValueError(f"left: cannot keep {left} of {count_left(mask)} weights")
    if sum(least.values()) > left:
        raise ValueError(
            f"floor: {floor} keeps at least {sum(least.values())} weights in the {len(mask)} layers together, "
            f"but {left} are to be left; lower it, or cut fewer"
        )
    flat = {name: _numbers(name, scores[name]) for name in alive}
    layers = {name: Layer(tuple(mask[name].shape), flat[name][kept], least[name]) for name, kept in alive.items()}
    counts = allocation(layers, left)
    kept = {}
    for name, candidates in (_flat(whole(mask)) if anywhere else alive).items():
        places = np.flatnonzero(candidates)
        layer = np.zeros(len(candidates), bool)
        layer[places[~lowest(flat[name][places], len(places) - counts[name])]] = True
        kept[name] = torch.from_numpy(layer.reshape(mask[name].shape))
    return kept


def left_after(mask: Mapping[str, Tensor], fraction: float) -> int:
    """How many weights a cut of this fraction of those left leaves.

    A level rounds by half a weight at most, and the next shrinks that by 1 - fraction, so that after L levels the
    weights left differ from (1 - fraction)^L of all by less than 0.5 / fraction: 2.5 weights, for a fraction of 0.2.
    """
    return round(count_left(mask) * (1 - fraction))


def may_cut(mask: Mapping[str, Tensor], fraction: float, floor: int | float) -> bool:
    """Whether a cut of this fraction can leave every layer its floor."""
    return left_after(mask, fraction) >= sum(floors(mask, floor).values())


def floors(mask: Mapping[str, Tensor], floor: int | float) -> dict[str, int]:
    """How many weights every layer keeps at least."""
    sizes = layer_sizes(mask)
    return {
        name: min(left, floor if isinstance(floor, int) else math.ceil(floor * sizes[name]))
        for name, left in layer_counts(mask).items()
    }


def _flat(mask: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: mask[name].cpu().numpy().ravel() for name in sorted(mask)}


def _numbers(name: str, scores: Tensor | np.ndarray) -> np.ndarray:
    """Scores flat in row-major order, whatever the memory format."""
    numbers = torch.as_tensor(scores).detach().cpu().numpy().ravel()
    if np.isnan(numbers).any():
        raise ValueError(f"scores of {name} that are no numbers: the training diverged; lower the learning rate")
    return numbers
