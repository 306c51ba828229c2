"""Error and loss along the straight line between two networks."""

import copy
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from winnow.landscape.batch_norm import reestimate
from winnow.training.batches import DeviceImages
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss

Statistics = Literal["reestimated", "interpolated"]


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
    parts: Mapping[str, DeviceImages],
    statistics: Statistics,
    estimate_on: DeviceImages,
) -> pd.DataFrame:
    """Error and loss of the networks between two states, of one architecture, on parts of the data.

    One row per alpha and part: alpha, part, error (1 - accuracy), loss (mean cross-entropy in nats). With
    ``statistics`` "reestimated", batch norm's running statistics of every network, those at the ends too, are computed
    again on ``estimate_on`` (batch_norm.reestimate): the statistics between two networks are not those of the network
    between, and interpolated ones show barriers that are about batch norm only. ``network`` is left as it was.
    """
    network = copy.deepcopy(network)
    rows = []
    for alpha in alphas:
        network.load_state_dict(between(state_a, state_b, alpha))
        if statistics == "reestimated":
            reestimate(network, estimate_on)
        for part, images in parts.items():
            outputs, labels = log_probabilities(network, images), images.labels.cpu().numpy()
            rows.append((alpha, part, 1 - accuracy(outputs, labels), mean_loss(outputs, labels)))
    return pd.DataFrame(rows, columns=["alpha", "part", "error", "loss"])
