"""Error and loss along the straight line between two trained networks."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from torch import nn

from winnow.landscape.line import errors_along
from winnow.training.batches import DeviceImages

Statistics = Literal["recalibrated", "interpolated"]


def line_between(
    a: nn.Module, b: nn.Module, points: int, parts: Mapping[str, DeviceImages], statistics: Statistics
) -> pd.DataFrame:
    """alpha (0 at a, 1 at b), split, error (0 to 1) and loss (nats) at evenly spaced points, on every part.

    a, b: of one architecture. Batch norm's statistics are estimated again on the part ``train``, or interpolated.
    """
    train_part = parts["train"]
    first, second = (dict(network.state_dict()) for network in (a, b))
    splits = {name: part.batches() for name, part in parts.items()}
    calibration = train_part.mixed() if statistics == "recalibrated" else None
    return errors_along(a.to(train_part.device), first, second, np.linspace(0, 1, points), splits, calibration)
