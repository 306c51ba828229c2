"""Tables of what was measured along lines between networks."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from winnow.storage import load_table

MEASURED = ["alpha", "split", "error", "loss"]


def load_line(path: Path, **about: Any) -> pd.DataFrame:
    """What was measured along one line, with the columns that tell it apart from others in front."""
    return load_table(path).assign(**about)[[*about, *MEASURED]]


def joined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Several lines as one table; one without rows where there are none."""
    found = list(tables)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["a", "b", "seed", *MEASURED])
