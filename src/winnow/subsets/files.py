"""A subset as a file: a small table of ids with its provenance."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from winnow.errors import UserError
from winnow.storage import load_provenance, load_table, save_table


@dataclass(frozen=True)
class Subset:
    """Which training images to keep.

    ids: str [m], such as "train/cat/0042.png"; positions: int64 [m], rising, the indices of the images in the source's
    own training set (for ``torch.utils.data.Subset``); provenance: how they were chosen.
    """

    ids: np.ndarray
    positions: np.ndarray
    provenance: dict[str, Any]

    def __len__(self) -> int:
        return len(self.ids)


def save_subset(path: str | Path, images: pd.DataFrame, provenance: dict[str, Any]) -> None:
    """Write the kept rows of a table of images, with their id and position, and how they were chosen."""
    save_table(path, images[["id", "position"]], provenance)


def load_subset(path: str | Path) -> Subset:
    """Read a subset that the pipeline selected, such as ``data/select/el2n-0.5.parquet``.

    Raises UserError if the file is missing or is not a subset.
    """
    table = load_table(path)
    if not {"id", "position"} <= set(table.columns):
        raise UserError(f"{path}: not a subset: needs the columns id and position, has {', '.join(table.columns)}")
    return Subset(table["id"].to_numpy(str), table["position"].to_numpy(np.int64), load_provenance(path))
