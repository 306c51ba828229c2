"""What an allocation knows of a layer, and what allocations share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Layer:
    """shape: of its weights. scores: of its remaining weights, flat, in row-major order. least: how many weights it
    keeps at least. place: in the network's order of layers, from the images on; only its order counts. uses: how often
    each weight is multiplied for one image. left: of channels, the fraction of the weights of the layers that share
    them that one ranking of all weights keeps; above 0."""

    shape: tuple[int, ...]
    scores: np.ndarray
    least: int = 0
    place: int = 0
    uses: float = 1.0
    left: float = 1.0


Layers = Mapping[str, Layer]


def lowest(scores: np.ndarray, count: int) -> np.ndarray:
    """Which of the scores [n] are the ``count`` lowest, bool [n]. Among equal scores, the first count as lower. Takes
    linear time."""
    if count == 0:
        return np.zeros(len(scores), bool)
    threshold = np.partition(scores, count - 1)[count - 1]
    chosen = scores < threshold
    chosen[np.flatnonzero(scores == threshold)[: count - chosen.sum()]] = True
    return chosen


def share_out(layers: Layers, parts: Mapping[str, float], total: int) -> dict[str, int]:
    """How many weights each layer keeps, in proportion to ``parts``. The counts sum to the total exactly.

    A layer keeps all its weights if its part is larger than that, and its least if its part is smaller. The others
    share the rest in proportion. The weights that rounding down leaves over go to the layers with the largest
    remainders, and among equal ones in the order of the layers' names.
    """
    names = sorted(layers)
    weights = np.array([parts[name] for name in names], float)
    least = np.array([layers[name].least for name in names], float)
    most = np.array([len(layers[name].scores) for name in names], float)

    def at(scale: float) -> np.ndarray:
        return np.clip(scale * weights, least, most)

    # the sum rises with the scale, and is linear between two scales where a layer reaches a bound
    bends = np.unique(np.concatenate([[0.0], least / weights, most / weights]))
    sums = np.array([at(bend).sum() for bend in bends])
    exact = at(float(np.interp(total, sums, bends)))
    return dict(zip(names, whole_counts(exact, most, total).tolist(), strict=True))


def whole_counts(exact: np.ndarray, most: np.ndarray, total: int) -> np.ndarray:
    """Counts [layers] that sum to the total, from fractional ones that do so: rounded down, and what is left over by
    the largest remainders, among equal ones the first. No count is above ``most``."""
    counts = np.floor(exact + 1e-9).astype(int)
    by_remainder = np.argsort(counts - exact, kind="stable")
    rest = total - int(counts.sum())
    for place in [place for place in by_remainder if counts[place] < most[place]][:rest]:
        counts[place] += 1
    return counts


def share_out_above(
    layers: Layers, parts: Mapping[str, float], total: int, spared: Mapping[str, float]
) -> dict[str, int]:
    """As ``share_out``, but some layers keep at least as many weights as ``spared`` says. If the total is too small for
    that, they share in proportion to it what remains above the least of all layers."""
    raised = {
        name: replace(layer, least=max(layer.least, min(math.ceil(spared.get(name, 0)), len(layer.scores))))
        for name, layer in layers.items()
    }
    if sum(layer.least for layer in raised.values()) <= total:
        return share_out(raised, parts, total)
    return share_out(layers, {name: spared.get(name, 1e-9 * part) for name, part in parts.items()}, total)


def in_order(layers: Layers) -> list[str]:
    """The names of the layers in the network's order, from the images on."""
    return sorted(layers, key=lambda name: (layers[name].place, name))


def convolutions(layers: Layers) -> list[str]:
    """The names of the convolutions, in the network's order: the layers whose weights have three dimensions or more."""
    return [name for name in in_order(layers) if len(layers[name].shape) > 2]


def last_linear(layers: Layers) -> list[str]:
    """The name of the last linear layer, whose weights have two dimensions, in a list; [] if there is none."""
    return [name for name in in_order(layers) if len(layers[name].shape) == 2][-1:]
