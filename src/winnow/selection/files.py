"""The file of a subset: a small table of ids with its provenance."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from winnow.errors import UserError
from winnow.storage import load_provenance, load_table, save_table


@dataclass(frozen=True)
class Subset:
    """The training images to keep.

    ids: str [m], such as "train/cat/0042.png"; positions: rising int64 [m], the indices of the images in the source's
    own training set (for ``torch.utils.data.Subset``); provenance: how they were chosen; weights: float32 [m] of mean
    1, how much each counts in the loss, or None if all count the same.
    """

    ids: np.ndarray
    positions: np.ndarray
    provenance: dict[str, Any]
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)


def save_subset(
    path: str | Path, images: pd.DataFrame, provenance: dict[str, Any], weights: np.ndarray | None = None
) -> None:
    """Write the kept rows of a table of images: id and position, weights if given, and how they were chosen."""
    table = images[["id", "position"]]
    save_table(path, table if weights is None else table.assign(weight=weights.astype(np.float32)), provenance)


def load_subset(path: str | Path) -> Subset:
    """Read a subset of the pipeline, such as ``data/select/el2n-0.5.parquet``.

    Raises UserError if the file is missing or is not a subset.
    """
    table = load_table(path)
    if not {"id", "position"} <= set(table.columns):
        raise UserError(f"{path}: not a subset: needs the columns id and position, has {', '.join(table.columns)}")
    weights = table["weight"].to_numpy(np.float32) if "weight" in table else None
    return Subset(table["id"].to_numpy(str), table["position"].to_numpy(np.int64), load_provenance(path), weights)
