"""How large the remaining weights are: the hole that a cut leaves around zero, and how retraining fills it.

Paul et al. 2023, "Unmasking the lottery ticket hypothesis": retraining makes new small weights, so that the next cut is
cheap again.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from winnow.pruning.masks import layer_densities, layer_sizes, weights_of
from winnow.tickets.files import Ticket

EDGES = np.logspace(-6, 1, 71)  # ten bins to a decade


def histogram(
    weights: Mapping[str, Tensor], mask: Mapping[str, Tensor], edges: np.ndarray = EDGES
) -> dict[str, np.ndarray]:
    """Counts of the magnitudes of the remaining weights, by layer: int64 [len(edges) + 1]. The layers' sum is the
    histogram of the whole network.

    edges: rising magnitudes |w|. The first count covers everything below the first edge, including zeros. Then comes
    one count per bin, which includes its lower edge but not its upper edge. The last count covers everything from the
    last edge on.
    """
    return {
        name: np.bincount(np.searchsorted(edges, _left(weights, mask, name), side="right"), minlength=len(edges) + 1)
        for name in weights_of(mask)
    }


def cut_threshold(weights: Mapping[str, Tensor], before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> float:
    """The largest magnitude that was pruned between two masks, given the weights at the cut; 0 if nothing was
    pruned."""
    cut = {name: layer & ~after[name] for name, layer in weights_of(before).items()}
    return max(float(_left(weights, cut, name).max(initial=0)) for name in cut)


def hole(weights: Mapping[str, Tensor], mask: Mapping[str, Tensor], threshold: float) -> float:
    """The fraction of the remaining weights with a magnitude below the threshold of the last cut; nan if no weight
    remains.

    Right after a cut without a floor it is 0: that is the hole. With a floor it is what the floor spared below the
    threshold. For the retrained weights the same fraction says how far retraining has filled the hole.
    """
    left = np.concatenate([_left(weights, mask, name) for name in mask])
    return float(np.mean(left < threshold)) if len(left) else float("nan")


def magnitude_table(parents: Sequence[Ticket], children: Sequence[Ticket]) -> pd.DataFrame:
    """The histograms around a cut, mean over replicates: the parents' trained weights ``before`` and ``after`` the cut,
    and the children's weights, ``retrained``.

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
    """Columns: layer, size (number of weights), density (the fraction that remains, mean over replicates); rows in the
    network's order of layers."""
    densities = [layer_densities(ticket.mask) for ticket in tickets]
    sizes = layer_sizes(tickets[0].mask) if tickets else {}
    layers = [name for ticket in tickets[:1] for name, _ in ticket.network.named_parameters() if name in sizes]
    rows = [(layer, sizes[layer], float(np.mean([density[layer] for density in densities]))) for layer in layers]
    return pd.DataFrame(rows, columns=["layer", "size", "density"])


def _left(weights: Mapping[str, Tensor], mask: Mapping[str, Tensor], name: str) -> np.ndarray:
    return np.abs(weights[name].detach().cpu().numpy()[mask[name].cpu().numpy()])
