"""Tables of measurements along lines between networks."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from winnow.storage import load_table

MEASURED = ["alpha", "split", "error", "loss"]


def load_line(path: Path, **about: Any) -> pd.DataFrame:
    """The measurements along one line. The columns that identify the line come first."""
    return load_table(path).assign(**about)[[*about, *MEASURED]]


def joined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Several lines as one table; without lines, an empty table."""
    found = list(tables)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["a", "b", "seed", *MEASURED])
