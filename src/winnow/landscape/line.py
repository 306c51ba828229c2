"""Error and loss along the straight line between two networks."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from winnow.landscape.batch_norm import recalibrate
from winnow.training.batches import Batch
from winnow.training.evaluate import error_and_loss


def between(state_a: Mapping[str, Tensor], state_b: Mapping[str, Tensor], alpha: float) -> dict[str, Tensor]:
    """(1 - alpha) a + alpha b for the parameters and floating-point buffers of two states with the same names: exactly
    a at alpha 0, exactly b at 1. Integer buffers, such as the number of batches that batch norm has seen, come from a.
    """
    if state_a.keys() != state_b.keys():
        raise ValueError(f"only one of the two states has {', '.join(sorted(state_a.keys() ^ state_b.keys()))}")
    return {
        name: torch.lerp(tensor, state_b[name], alpha) if tensor.is_floating_point() else tensor
        for name, tensor in state_a.items()
    }


def networks_along(
    network: nn.Module,
    state_a: Mapping[str, Tensor],
    state_b: Mapping[str, Tensor],
    alphas: Sequence[float] | np.ndarray,
    calibration: Iterable[Batch] | None,
) -> Iterator[tuple[float, nn.Module]]:
    """Each alpha with the network there, which is the same module every time: use it before the next one. Batch norm is
    that of ``errors_along``."""
    network = copy.deepcopy(network)
    for alpha in alphas:
        network.load_state_dict(between(state_a, state_b, alpha))
        if calibration is not None:
            recalibrate(network, calibration)
        yield alpha, network


def errors_along(
    network: nn.Module,
    state_a: Mapping[str, Tensor],
    state_b: Mapping[str, Tensor],
    alphas: Sequence[float] | np.ndarray,
    splits: Mapping[str, Iterable[Batch]],
    calibration: Iterable[Batch] | None,
) -> pd.DataFrame:
    """Error and loss, on splits of the data, of the networks between two states of one architecture.

    One row per alpha and split: alpha, split, error (1 - accuracy), loss (mean cross-entropy in nats). Every network's
    batch norm, also at the two ends, is recalibrated on the batches of ``calibration`` (batch_norm.recalibrate). If
    ``calibration`` is None, the running statistics are interpolated. These are not the statistics of the network in
    between, and show barriers that are due to batch norm only. ``network`` is not changed. The batches pass once for
    each alpha.
    """
    rows = [
        (alpha, split, *error_and_loss(there, batches))
        for alpha, there in networks_along(network, state_a, state_b, alphas, calibration)
        for split, batches in splits.items()
    ]
    return pd.DataFrame(rows, columns=["alpha", "split", "error", "loss"])
