"""From scores to a mask: the allocation counts the weights of every layer, and the highest scores stay.

Wherever an order matters, layers come in the alphabetical order of their names: the order of a dict changes when it is
written to a file and read back.
"""

import math
from collections.abc import Callable, Mapping, Sequence

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
    order: Sequence[str] = (),
    uses: Mapping[str, float] | None = None,
) -> Mask:
    """Keep ``left`` of the weights that the mask keeps. The allocation says how many each layer keeps; the highest
    scores stay. Among equal scores, such as zeros, the first weights are pruned first.

    scores: by name, in the mask's shapes; scores of other names are ignored. floor: the least that every layer keeps, a
    count (int), or a fraction of its size (float, rounded up). Without a floor a layer may vanish, and the network's
    function with it. A layer that already has fewer keeps them all. Other layers make up for what a floor spares, so
    that exactly ``left`` weights remain. anywhere: whether weights that the mask has pruned may replace others.
    order: of the network's parameters, for allocations that treat the first or the last layer differently; without it
    layers come in the order of their names. uses: how often each layer's weights are used for one image, for an
    allocation that asks for it.

    Raises ValueError if the floors together are above ``left``, or if a score is NaN. Returns a mask on the CPU.
    """
    alive, least = _flat(mask), floors(mask, floor)
    if not 0 <= left <= count_left(mask):
        raise ValueError(f"left: cannot keep {left} of {count_left(mask)} weights")
    if sum(least.values()) > left:
        raise ValueError(
            f"floor: {floor} keeps at least {sum(least.values())} weights in the {len(mask)} layers together, "
            f"but {left} weights should remain; lower it, or prune fewer"
        )
    flat = {name: numbers(name, scores[name]) for name in alive}
    places = {name: place for place, name in enumerate(order or alive)}
    layers = {
        name: Layer(tuple(mask[name].shape), flat[name][kept], least[name], places[name], (uses or {}).get(name, 1))
        for name, kept in alive.items()
    }
    counts = allocation(layers, left)
    kept = {}
    for name, candidates in (_flat(whole(mask)) if anywhere else alive).items():
        found = np.flatnonzero(candidates)
        layer = np.zeros(len(candidates), bool)
        layer[found[~lowest(flat[name][found], len(found) - counts[name])]] = True
        kept[name] = torch.from_numpy(layer.reshape(mask[name].shape))
    return kept


def left_after(mask: Mapping[str, Tensor], fraction: float) -> int:
    """How many weights remain after this fraction of the mask's weights is pruned.

    A level rounds by at most half a weight, and the next level shrinks that error by 1 - fraction. So after L levels
    the count differs from (1 - fraction)^L of all weights by less than 0.5 / fraction: 2.5 weights for a fraction of
    0.2.
    """
    return round(count_left(mask) * (1 - fraction))


def may_cut(mask: Mapping[str, Tensor], fraction: float, floor: int | float) -> bool:
    """Whether every layer can keep its floor when this fraction is pruned."""
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


def numbers(name: str, scores: Tensor | np.ndarray) -> np.ndarray:
    """Scores flat in row-major order, whatever the memory format. Raises ValueError if one is NaN."""
    numbers = torch.as_tensor(scores).detach().cpu().numpy().ravel()
    if np.isnan(numbers).any():
        raise ValueError(f"the scores of {name} are not all numbers: the training diverged; lower the learning rate")
    return numbers
