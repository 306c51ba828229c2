"""Whole channels, of all layers that share them (Fang et al. 2023, "DepGraph: towards any structural pruning", sec. 3;
for single layers Li et al. 2017, "Pruning filters for efficient ConvNets", sec. 3)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge

from winnow import methods

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

    from winnow.pruning.channel_groups import Group
    from winnow.pruning.context import Context, Scores
    from winnow.pruning.masks import Mask
    from winnow.pruning.prune import Allocation

TAKES_PRUNE = True


def channels(
    scores: "Scores",
    mask: Mapping[str, "Tensor"],
    context: "Context",
    left: int,
    allocation: "Allocation",
    *,
    reduce: Literal["mean", "sum"] = "mean",
    relative: bool = True,
    of: Literal["weights", "multiplications"] = "weights",
    least: Annotated[int, Ge(1)] = 1,
    multiple: Annotated[int, Ge(1)] = 1,
) -> "Mask":
    """Prune whole channels, those with the lowest scores, until at most ``left`` weights remain: one channel more (or
    ``multiple`` more) would be too many. A pruned channel has no weights in any layer: no rows in the layers that write
    it, and no columns in the layers that read it. Layers around a residual sum lose the same channels. The network's
    outputs and inputs stay, and so do channels that cannot go alone (``channel_groups``).

    A channel's score is the mean (``reduce: sum``: the sum) of the scores of the remaining weights that write it: over
    each row, then over the layers. relative: divide the scores of layers that share channels by the mean of their
    sizes, so that one ranking of all channels (allocation ``global``) is fair to wide and narrow layers. allocation:
    how many channels each group of layers keeps. of: multiplications counts each weight as often as it is used for one
    image; the fraction of them that remains is then that of ``left`` among the weights. least: the channels that each
    group keeps. multiple: each group keeps a multiple of so many channels, or all it has, because processors compute
    channels in blocks: 11 channels can take as long as 16. Channels that no remaining weight reads go first, as nothing
    depends on them.

    Raises ValueError if no channel can go, if the least channels have more weights than should remain, or if a score is
    NaN.
    """
    from winnow.pruning.channel_groups import channel_groups, clear
    from winnow.pruning.layers import Layer, lowest
    from winnow.pruning.masks import count_left
    from winnow.pruning.multiplications import multiplications, positions

    inputs, _ = next(iter(context.batches(1, 1)))
    groups = {group.name: group for group in channel_groups(context.network, inputs)}
    if not groups:
        raise ValueError("structure: the network has no channels that could be pruned alone; take another")
    mask = {name: kept.cpu() for name, kept in mask.items()}
    alive, values = {}, {}
    for name in sorted(groups):
        alive[name] = np.flatnonzero(_alive(groups[name], mask))
        values[name] = _values(groups[name], scores, mask, reduce)[alive[name]]
        size = np.abs(values[name]).mean() if len(values[name]) else 0.0
        values[name] /= size if relative and size > 0 else 1.0
    lefts = _lefts(groups, scores, mask, left) if methods.has_mark(allocation, "ONLY_CHANNELS") else {}
    layers = {
        name: Layer((groups[name].size,), found, min(least, len(found)), groups[name].place, left=lefts.get(name, 1.0))
        for name, found in values.items()
    }

    def keep(total: int) -> "Mask":
        """The mask with so many channels."""
        found, counts = {name: kept.clone() for name, kept in mask.items()}, allocation(layers, total)
        for name, group in groups.items():
            gone, count = np.ones(group.size, bool), -(-counts[name] // multiple) * multiple
            gone[alive[name][~lowest(values[name], max(len(values[name]) - count, 0))]] = False
            clear(found, group.writers, 0, gone)
            clear(found, group.readers, 1, gone)
        return found

    used = positions(context.network, inputs) if of == "multiplications" else dict.fromkeys(mask, 1)
    most = multiplications(mask, used) * left / max(count_left(mask), 1)

    def fits(total: int) -> bool:
        return multiplications(keep(total), used) <= most

    few, many = sum(layer.least for layer in layers.values()), sum(len(layer.scores) for layer in layers.values())
    if not fits(few):
        raise ValueError(
            f"prune: with {few} channels, the fewest that {len(layers)} groups of layers keep, "
            f"{multiplications(keep(few), used)} {of} remain, but {int(most)} should; prune less"
        )
    while few < many:
        middle = (few + many + 1) // 2
        few, many = (middle, many) if fits(middle) else (few, middle - 1)
    return keep(few)


def _lefts(
    groups: Mapping[str, "Group"], scores: "Scores", mask: Mapping[str, "Tensor"], left: int
) -> dict[str, float]:
    """The fraction of the weights of each group's layers that remains if single weights are pruned until ``left``
    remain, by one ranking; at least that of half a weight."""
    from winnow.pruning.masks import layer_counts, layer_sizes
    from winnow.pruning.prune import prune

    counts, sizes = layer_counts(prune(scores, mask, left)), layer_sizes(mask)
    shared = {name: {part.weight for part in (*group.writers, *group.readers)} for name, group in groups.items()}
    return {
        name: max(sum(counts[layer] for layer in layers), 0.5) / sum(sizes[layer] for layer in layers)
        for name, layers in shared.items()
    }


def _alive(group: "Group", mask: Mapping[str, "Tensor"]) -> np.ndarray:
    """Which channels some remaining weight reads, bool [size]."""
    found = np.zeros(group.size, bool)
    for part in group.readers:
        columns = mask[part.weight].transpose(0, 1).flatten(1).any(1).numpy()
        found[part.channels[columns[part.places]]] = True
    return found


def _values(group: "Group", scores: "Scores", mask: Mapping[str, "Tensor"], reduce: str) -> np.ndarray:
    """The scores of a group's channels, float64 [size]."""
    from winnow.pruning.prune import numbers

    total, layers = np.zeros(group.size), np.zeros(group.size)
    for part in group.writers:
        live = mask[part.weight].flatten(1).numpy()
        rows = np.where(live, numbers(part.weight, scores[part.weight]).reshape(live.shape), 0).sum(1, dtype=np.float64)
        if reduce == "mean":
            rows /= np.maximum(live.sum(1), 1)
        total += np.bincount(part.channels, rows[part.places], group.size)
        layers += np.bincount(part.channels, minlength=group.size)
    return total / layers if reduce == "mean" else total
