"""Measure the loss around your own checkpoints."""

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
    """Error (0 to 1) and loss (nats) at evenly spaced points of the straight line between two state dicts.

    Columns: alpha (0 at a, 1 at b), error, loss. ``winnow.barrier`` of a column is its height above the ends.

    network: has the architecture of both states; the function does not change it. It recalibrates batch norm at every
    point, on ``calibration`` or else on the loader: otherwise most lines show a barrier that comes from batch norm
    alone. So those batches should be mixed, not sorted by class. Each point takes one pass over both loaders:
    DataLoaders, or lists of batches (inputs, labels).

    Raises ValueError if a state does not fit the network, for fewer than 3 points, or for batches of the wrong shape.
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
    """The k largest eigenvalues, falling float64 [k], of the Hessian of the mean cross-entropy over all examples of the
    loader, with respect to the trainable weights, or to those that the mask keeps.

    The network runs in evaluation mode and does not change. All batches (inputs, labels) stay in memory: a few hundred
    examples tell most. Each eigenvalue is exact to 1e-4 of itself (landscape.hessian.top_eigenpairs).

    Raises ValueError if k is not below the number of trainable weights, if the eigenvalues do not converge, or if a
    batch has the wrong shape.
    """
    live = live_entries(network, fitting(network, mask or {}))
    values, _ = top_eigenpairs(hessian_product(network, list(Passes(loader, network)), live), count(live), k)
    return values
