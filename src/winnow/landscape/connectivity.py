"""Error and loss along the straight line between two trained networks."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from torch import Tensor, nn

from winnow.landscape.line import errors_along
from winnow.landscape.subsets import outcomes_along, table_of
from winnow.training.batches import DeviceImages, ImageBatches

Statistics = Literal["recalibrated", "interpolated"]


def line_between(
    a: nn.Module, b: nn.Module, points: int, splits: Mapping[str, DeviceImages], statistics: Statistics
) -> pd.DataFrame:
    """alpha (0 at a, 1 at b), split, error (0 to 1) and loss (nats) at evenly spaced points, on every split.

    a, b: of one architecture. Batch norm's statistics are recalibrated on the split ``train``, or interpolated.
    """
    states, calibration = _ends(a, b, splits["train"], statistics)
    batches = {name: images.batches() for name, images in splits.items()}
    return errors_along(a, *states, np.linspace(0, 1, points), batches, calibration)


def line_on_subsets(
    a: nn.Module,
    b: nn.Module,
    points: int,
    splits: Mapping[str, DeviceImages],
    statistics: Statistics,
    subsets: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """``line_between``, on subsets too, with the fraction of single images that are connected (column connected, of
    ``subsets.table_of``).

    splits: train, test and, if the subsets have any, ``others``: training images that are not in train. subsets: by
    name, the row numbers of images in train followed by others. Every network sees an image once, however many subsets
    have it. Batch norm is that of ``line_between``, so it does not depend on the subsets.
    """
    states, calibration = _ends(a, b, splits["train"], statistics)
    alphas = np.linspace(0, 1, points)
    batches = {name: images.batches() for name, images in splits.items()}
    found = outcomes_along(a, states, alphas, batches, calibration)
    others = found.pop("others", None)
    union = found["train"].beside(others) if others else found["train"]
    return table_of(alphas, found | {name: union.of(rows) for name, rows in subsets.items()})


def _ends(
    a: nn.Module, b: nn.Module, train: DeviceImages, statistics: Statistics
) -> tuple[tuple[dict[str, Tensor], dict[str, Tensor]], ImageBatches | None]:
    """The states at the two ends, after ``a`` went to the images' device, and what recalibrates batch norm, if so."""
    states = dict(a.state_dict()), dict(b.state_dict())
    a.to(train.device)
    return states, train.mixed() if statistics == "recalibrated" else None
