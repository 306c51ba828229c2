"""Cuts: from the weights that are left to fewer, by magnitude over all layers together, or at random.

Layers are taken in the alphabetical order of their names wherever an order matters: that of a dict changes on the way
through a file.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from winnow.errors import UserError
from winnow.streams import numpy_stream
from winnow.tickets.masks import Mask, count_left, layer_counts, layer_sizes

GRID = 64  # the adaptive cut takes a multiple of 1/64 of the weights left


@dataclass(frozen=True, eq=False)
class AdaptiveCut:
    """What ``cut_most`` found: the mask, the share of the weights left that it cuts, and the error before retraining.

    tried: every share that was evaluated with its error, by rising share; the first is 0, no cut.
    """

    mask: Mask
    share: float
    error: float
    tried: list[tuple[float, float]]


def cut_smallest(
    weights: Mapping[str, Tensor], mask: Mapping[str, Tensor], share: float, floor: int | float = 0
) -> Mask:
    """Cut a share of the weights left, those of smallest magnitude over all layers together: one level of iterative
    magnitude pruning (Frankle and Carbin 2019; Paul et al. 2023, sec. 2).

    ``keep_largest`` with round((1 - share) * weights left). A level rounds by half a weight at most, and the next
    shrinks that by 1 - share, so that after L levels the weights left differ from (1 - share)^L of all by less than
    0.5 / share: 2.5 weights, for a share of 0.2.
    """
    return keep_largest(weights, mask, left_after(mask, share), floor)


def left_after(mask: Mapping[str, Tensor], share: float) -> int:
    """How many weights ``cut_smallest`` leaves."""
    return round(count_left(mask) * (1 - share))


def may_cut(mask: Mapping[str, Tensor], share: float, floor: int | float) -> bool:
    """Whether ``cut_smallest`` can cut that share and leave every layer its floor."""
    return left_after(mask, share) >= sum(_floors(mask, floor).values())


def keep_largest(weights: Mapping[str, Tensor], mask: Mapping[str, Tensor], left: int, floor: int | float = 0) -> Mask:
    """Keep ``left`` of the weights that the mask leaves, those of largest magnitude over all layers together.

    weights: tensors by name, on any device; those that the mask does not name are not looked at. Of weights of the same
    magnitude, such as zeros, those that come first are cut first, by layer and by row-major index.

    floor: how many weights every layer keeps at least, an int, or a share of its size, a float (rounded up), against
    layers that vanish and take the network's function with them. A layer with fewer left keeps those. What a layer is
    spared is cut elsewhere, so that the number left is exact: the largest of every layer, up to its floor, are kept,
    and then the largest of all others.

    Raises UserError if the floors together are above ``left``, or a weight is no number. Returns a mask on the CPU.
    """
    names = sorted(mask)
    alive = np.concatenate([mask[name].cpu().numpy().ravel() for name in names])
    magnitudes = np.concatenate([_magnitudes(name, weights[name]) for name in names])
    if not 0 <= left <= alive.sum():
        raise ValueError(f"cannot keep {left} of {alive.sum()} weights")
    least = _floors(mask, floor)
    if sum(least.values()) > left:
        raise UserError(
            f"imp.floor: {floor} keeps at least {sum(least.values())} weights in the {len(mask)} layers together, "
            f"but {left} are to be left; lower it, or cut fewer"
        )
    ends = np.cumsum([mask[name].numel() for name in names])
    free = alive.copy()  # what may be cut
    for name, layer in zip(names, np.split(np.arange(len(alive)), ends[:-1]), strict=True):
        if least[name]:
            survivors = layer[alive[layer]]
            free[survivors[~_smallest(magnitudes[survivors], len(survivors) - least[name])]] = False
    candidates = np.flatnonzero(free)
    alive[candidates[_smallest(magnitudes[candidates], alive.sum() - left)]] = False
    return {
        name: torch.from_numpy(layer.reshape(mask[name].shape).copy())
        for name, layer in zip(names, np.split(alive, ends[:-1]), strict=True)
    }


def cut_random(like: Mapping[str, Tensor], seed: int) -> Mask:
    """A random mask that leaves as many weights of every layer as ``like`` does, each choice of them equally likely.

    Every layer draws one order of its weights, from a stream of its own, and leaves the first of it: the masks of one
    seed are nested where the counts of their layers fall.
    """
    mask = {}
    for i, name in enumerate(sorted(like)):
        order = numpy_stream(seed, "random_mask", i).permutation(like[name].numel())
        kept = np.zeros(len(order), bool)
        kept[order[: int(like[name].sum())]] = True
        mask[name] = torch.from_numpy(kept).reshape(like[name].shape)
    return mask


def cut_most(
    weights: Mapping[str, Tensor],
    mask: Mapping[str, Tensor],
    error_of: Callable[[Mask], float],
    budget: float,
    floor: int | float,
    most: float,
) -> AdaptiveCut:
    """The largest cut by magnitude whose error before retraining, ``error_of`` of its mask, is at most ``budget``.

    Found by bisection over the multiples of 1/64 up to ``most``, or up to what the floor allows: about seven
    evaluations. Bisection takes the error to rise with the share. It rises only by and large, so that what is returned
    is a share within the budget whose successor on the grid was found outside it (or is not allowed); a still larger
    share may lie within it again. If none is within it, or the error without any cut is not, the share is 0 and the
    mask as it was.
    """
    allowed = [k for k in range(GRID + 1) if k / GRID <= most and may_cut(mask, k / GRID, floor)]
    best, errors = dict(mask), {0.0: error_of(dict(mask))}
    within, outside = 0, allowed[-1] + 1 if errors[0.0] <= budget else 1
    while outside - within > 1:
        k = (within + outside) // 2
        found = cut_smallest(weights, mask, k / GRID, floor)
        errors[k / GRID] = error_of(found)
        if errors[k / GRID] <= budget:
            within, best = k, found
        else:
            outside = k
    return AdaptiveCut(best, within / GRID, errors[within / GRID], sorted(errors.items()))


def _magnitudes(name: str, weights: Tensor) -> np.ndarray:
    """|w|, flat in row-major order, whatever the memory format."""
    magnitudes = weights.detach().abs().cpu().numpy().ravel()
    if np.isnan(magnitudes).any():
        raise UserError(f"{name}: weights that are no numbers: the training diverged; lower the learning rate")
    return magnitudes


def _floors(mask: Mapping[str, Tensor], floor: int | float) -> dict[str, int]:
    """How many weights every layer keeps at least."""
    sizes = layer_sizes(mask)
    return {
        name: min(left, floor if isinstance(floor, int) else math.ceil(floor * sizes[name]))
        for name, left in layer_counts(mask).items()
    }


def _smallest(values: np.ndarray, count: int) -> np.ndarray:
    """Bool [n]: the ``count`` smallest of the values [n], of equal ones those that come first. In linear time."""
    if count == 0:
        return np.zeros(len(values), bool)
    threshold = np.partition(values, count - 1)[count - 1]
    chosen = values < threshold
    chosen[np.flatnonzero(values == threshold)[: count - chosen.sum()]] = True
    return chosen
