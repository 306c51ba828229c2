"""As many multiplications as weights: both fall by the same fraction."""

from dataclasses import replace

import numpy as np

from winnow.pruning.allocations.global_ import global_
from winnow.pruning.layers import Layers, whole_counts

AT_LEAST_ZERO = True  # takes no scores below zero
USES = True  # needs to know how often each weight is used


def multiplications(layers: Layers, total: int) -> dict[str, int]:
    """One ranking, by the score divided by a power of how often the weight is used for one image: a convolution's once
    at every position of its outputs. The power is such that the multiplications of the remaining weights fall by the
    same fraction as their number.

    With ``global`` a network often keeps more multiplications than weights, because early layers have few weights that
    are used often. A structured method is compared by its multiplications. Layers keep their ``least``, and a score of
    zero stays the lowest, so the multiplications may miss the fraction where these leave no choice. The form is ours.

    Raises ValueError for scores below zero: dividing them would change their order.
    """
    if any((layer.scores < 0).any() for layer in layers.values()):
        raise ValueError(
            "allocation: multiplications takes scores of at least zero, which this criterion does not give"
        )
    names = list(layers)
    uses = np.array([layers[name].uses for name in names], float)
    most = np.array([len(layers[name].scores) for name in names])
    with np.errstate(divide="ignore"):
        logs = {name: np.log(layer.scores.astype(np.float64)) for name, layer in layers.items()}
    wanted = (uses @ most) * total / max(most.sum(), 1)

    def counts(power: float) -> np.ndarray:
        ranked = {
            name: replace(layer, scores=logs[name] - power * np.log(layer.uses)) for name, layer in layers.items()
        }
        return np.array(list(global_(ranked, total).values()))

    high = _bound(logs, uses)
    low = -high
    many, few = counts(low), counts(high)  # many multiplications, and few, of equally many weights
    while np.abs(many - few).sum() > 2 and low < (middle := (low + high) / 2) < high:
        found = counts(middle)
        if uses @ found > wanted:
            low, many = middle, found
        else:
            high, few = middle, found
    # where many scores are equal, one step of the power exchanges many weights; part of them will do
    gap = uses @ many - uses @ few
    part = np.clip((uses @ many - wanted) / gap, 0, 1) if gap > 0 else 0.0
    return dict(zip(names, whole_counts(many + part * (few - many), most, total).tolist(), strict=True))


def _bound(logs: dict[str, np.ndarray], uses: np.ndarray) -> float:
    """A power at which the uses alone order the layers."""
    finite = np.concatenate([scores[np.isfinite(scores)] for scores in logs.values()])
    gaps = np.diff(np.unique(np.log(uses)))
    return float((np.ptp(finite) + 1) / gaps.min()) if len(gaps) and len(finite) else 0.0
