"""Error and loss along the straight line between two trained networks."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from torch import nn

from winnow.landscape.line import Statistics, errors_along
from winnow.training.batches import DeviceImages


def line_between(
    a: nn.Module, b: nn.Module, points: int, parts: Mapping[str, DeviceImages], statistics: Statistics
) -> pd.DataFrame:
    """alpha (0 at a, 1 at b), split, error (0 to 1) and loss (nats) at evenly spaced points, on every part.

    a, b: of one architecture. Batch norm's statistics are estimated again on the part ``train``.
    """
    estimate_on = parts["train"]
    first, second = (dict(network.state_dict()) for network in (a, b))
    network = a.to(estimate_on.device)
    line = errors_along(network, first, second, np.linspace(0, 1, points), parts, statistics, estimate_on)
    return line.rename(columns={"part": "split"})
