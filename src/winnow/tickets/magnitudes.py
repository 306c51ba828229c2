"""How large the weights left are: the hole that a cut leaves at zero, and how retraining fills it.

Paul et al. 2023, "Unmasking the lottery ticket hypothesis": retraining makes new small weights, so that the next cut is
cheap again.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from winnow.pruning.masks import layer_densities, layer_sizes
from winnow.tickets.files import Ticket

EDGES = np.logspace(-6, 1, 71)  # ten bins to a decade


def histogram(
    weights: Mapping[str, Tensor], mask: Mapping[str, Tensor], edges: np.ndarray = EDGES
) -> dict[str, np.ndarray]:
    """Counts of the magnitudes of the weights left, by layer: int64 [len(edges) + 1]; their sum is the whole network's.

    edges: rising magnitudes |w|. The first count is of all below the first edge, zeros too; then one for every bin, its
    lower edge included and its upper not; the last of all from the last edge on.
    """
    return {
        name: np.bincount(np.searchsorted(edges, _left(weights, mask, name), side="right"), minlength=len(edges) + 1)
        for name in mask
    }


def cut_threshold(weights: Mapping[str, Tensor], before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> float:
    """The largest magnitude that was cut between two masks, given the weights that they were cut by; 0 if none was."""
    cut = {name: before[name] & ~after[name] for name in before}
    return max(float(_left(weights, cut, name).max(initial=0)) for name in cut)


def hole(weights: Mapping[str, Tensor], mask: Mapping[str, Tensor], threshold: float) -> float:
    """The fraction of the weights left whose magnitude is below the threshold of the last cut; nan if none is left.

    0 right after a cut without a floor: that is the hole. With a floor, what it spared below the threshold. How far
    retraining fills the hole is told by the same fraction for the retrained weights.
    """
    left = np.concatenate([_left(weights, mask, name) for name in mask])
    return float(np.mean(left < threshold)) if len(left) else float("nan")


def magnitude_table(parents: Sequence[Ticket], children: Sequence[Ticket]) -> pd.DataFrame:
    """The histograms of a cut, mean over replicates: of the parents' trained weights ``before`` it and ``after`` it,
    and of the children's, ``retrained``.

    Columns: moment, layer (the parameter's name, or "all"), low, high (edges of |w|, from 0 to infinity), count (nan
    without replicates).
    """
    moments = {
        "before": [(parent, parent.mask) for parent in parents],
        "after": [(parent, child.mask) for parent, child in zip(parents, children, strict=True)],
        "retrained": [(child, child.mask) for child in children],
    }
    low, high = np.append(0, EDGES), np.append(EDGES, np.inf)
    tables = []
    for moment, tickets in moments.items():
        found = [histogram(ticket.state_dict(), mask) for ticket, mask in tickets]
        layers = {"all": [np.sum(list(counts.values()), axis=0) for counts in found]}
        layers |= {name: [counts[name] for counts in found] for counts in found[:1] for name in counts}
        for layer, counts in layers.items():
            mean = np.mean(counts, axis=0) if found else np.nan
            tables.append(pd.DataFrame({"moment": moment, "layer": layer, "low": low, "high": high, "count": mean}))
    return pd.concat(tables, ignore_index=True)


def density_table(tickets: Sequence[Ticket]) -> pd.DataFrame:
    """layer, size (of its weights), density (the fraction of them that is left, mean over replicates), in the network's
    order of layers."""
    densities = [layer_densities(ticket.mask) for ticket in tickets]
    sizes = layer_sizes(tickets[0].mask) if tickets else {}
    layers = [name for ticket in tickets[:1] for name, _ in ticket.network.named_parameters() if name in sizes]
    rows = [(layer, sizes[layer], float(np.mean([density[layer] for density in densities]))) for layer in layers]
    return pd.DataFrame(rows, columns=["layer", "size", "density"])


def _left(weights: Mapping[str, Tensor], mask: Mapping[str, Tensor], name: str) -> np.ndarray:
    return np.abs(weights[name].detach().cpu().numpy()[mask[name].cpu().numpy()])
