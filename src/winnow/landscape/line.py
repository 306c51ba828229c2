"""Error and loss along the straight line between two networks."""

import copy
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from winnow.landscape.batch_norm import recalibrate
from winnow.training.batches import Batch
from winnow.training.evaluate import error_and_loss


def between(state_a: Mapping[str, Tensor], state_b: Mapping[str, Tensor], alpha: float) -> dict[str, Tensor]:
    """(1 - alpha) a + alpha b for the parameters and floating buffers of two states with the same names; exactly a for
    alpha 0, exactly b for 1. Integer buffers, such as the number of batches that batch norm has seen, are a's.
    """
    if state_a.keys() != state_b.keys():
        raise ValueError(f"one state alone has {', '.join(sorted(state_a.keys() ^ state_b.keys()))}")
    return {
        name: torch.lerp(tensor, state_b[name], alpha) if tensor.is_floating_point() else tensor
        for name, tensor in state_a.items()
    }


def errors_along(
    network: nn.Module,
    state_a: Mapping[str, Tensor],
    state_b: Mapping[str, Tensor],
    alphas: Sequence[float] | np.ndarray,
    splits: Mapping[str, Iterable[Batch]],
    calibration: Iterable[Batch] | None,
) -> pd.DataFrame:
    """Error and loss of the networks between two states, of one architecture, on splits of the data.

    One row per alpha and split: alpha, split, error (1 - accuracy), loss (mean cross-entropy in nats). Batch norm's
    running statistics of every network, those at the ends too, are computed again on the batches of ``calibration``
    (batch_norm.recalibrate): the statistics between two networks are not those of the network between, and interpolated
    ones, as None leaves them, show barriers that are about batch norm only. ``network`` is left as it was. The batches
    pass once for each alpha.
    """
    network = copy.deepcopy(network)
    rows = []
    for alpha in alphas:
        network.load_state_dict(between(state_a, state_b, alpha))
        if calibration is not None:
            recalibrate(network, calibration)
        rows += [(alpha, split, *error_and_loss(network, batches)) for split, batches in splits.items()]
    return pd.DataFrame(rows, columns=["alpha", "split", "error", "loss"])
