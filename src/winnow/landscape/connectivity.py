"""Error and loss along the straight line between two tickets."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from winnow.landscape.line import Statistics, errors_along
from winnow.tickets.files import load_ticket
from winnow.training.batches import DeviceImages


def line_between(
    a: Path, b: Path, points: int, parts: Mapping[str, DeviceImages], statistics: Statistics
) -> pd.DataFrame:
    """alpha (0 at a, 1 at b), split, error (0 to 1) and loss (nats) at evenly spaced points, on every part.

    a, b: files of tickets of one architecture. Batch norm's statistics are estimated again on the part ``train``.
    """
    first, second = load_ticket(a), load_ticket(b)
    network = first.network.to(parts["train"].device)
    line = errors_along(
        network, first.state_dict(), second.state_dict(), np.linspace(0, 1, points), parts, statistics, parts["train"]
    )
    return line.rename(columns={"part": "split"})
