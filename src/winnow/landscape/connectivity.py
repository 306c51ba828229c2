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
    a: nn.Module, b: nn.Module, points: int, splits: Mapping[str, DeviceImages], statistics: Statistics
) -> pd.DataFrame:
    """alpha (0 at a, 1 at b), split, error (0 to 1) and loss (nats) at evenly spaced points, on every split.

    a, b: of one architecture. Batch norm's statistics are recalibrated on the split ``train``, or interpolated.
    """
    train_split = splits["train"]
    first, second = (dict(network.state_dict()) for network in (a, b))
    batches = {name: images.batches() for name, images in splits.items()}
    calibration = train_split.mixed() if statistics == "recalibrated" else None
    return errors_along(a.to(train_split.device), first, second, np.linspace(0, 1, points), batches, calibration)
