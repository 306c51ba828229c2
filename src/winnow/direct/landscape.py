"""The loss around checkpoints of your own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor, nn

from winnow.direct.loader import Loader, Passes
from winnow.direct.pruning import fitting
from winnow.landscape.hessian import hessian_product, top_eigenpairs
from winnow.landscape.line import errors_along
from winnow.landscape.live import count, live_entries
from winnow.networks.weights import misfit

if TYPE_CHECKING:
    import pandas as pd


def line(
    network: nn.Module,
    a: Mapping[str, Tensor],
    b: Mapping[str, Tensor],
    loader: Loader,
    points: int = 11,
    calibration: Loader | None = None,
) -> "pd.DataFrame":
    """Error (0 to 1) and loss (nats) at evenly spaced points of the straight line between two state dicts: columns
    alpha (0 at a, 1 at b), error, loss. ``winnow.barrier`` of a column is its height above the ends.

    network: of their architecture; it is left as it was. Batch norm's running statistics are computed again at every
    point, on ``calibration``, or on the loader itself: without that most lines show a barrier that is batch norm's
    alone. So its batches should be mixed, not sorted by class. Both loaders pass once for each point: DataLoaders, or
    lists of batches (inputs, labels).

    Raises ValueError if a state does not fit the network, for fewer than 3 points, or batches of another shape.
    """
    for name, state in (("a", a), ("b", b)):
        if wrong := misfit(network, state):
            raise ValueError(f"{name}: does not fit the network: {wrong}")
    if points < 3:
        raise ValueError(f"points: {points}: must be at least 3, the ends and one between")
    device = next((parameter.device for parameter in network.parameters()), None)
    first, second = ({name: tensor.to(device) for name, tensor in state.items()} for state in (a, b))
    passes = Passes(loader, network)
    again = passes if calibration is None else Passes(calibration, network)
    table = errors_along(network, first, second, np.linspace(0, 1, points), {"loader": passes}, again)
    return table.drop(columns="split")


def hessian_eigenvalues(
    network: nn.Module, loader: Loader, k: int = 5, mask: Mapping[str, Tensor] | None = None
) -> np.ndarray:
    """The k largest eigenvalues, falling, of the Hessian of the mean cross-entropy over all examples of the loader,
    with respect to the weights that train, or to those of them that a mask leaves: float64 [k].

    In evaluation mode; the network is left as it was. All batches (inputs, labels) are kept in memory: a few hundred
    examples tell most. Exact to 1e-4 of each (landscape.hessian.top_eigenpairs).

    Raises ValueError if k is not below the number of weights that train, if the eigenvalues do not converge, or if a
    batch has another shape.
    """
    live = live_entries(network, fitting(network, mask or {}))
    values, _ = top_eigenpairs(hessian_product(network, list(Passes(loader, network)), live), count(live), k)
    return values
