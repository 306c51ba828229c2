"""What every data source becomes: uint8 pixels, labels, stable ids, class names, channel statistics."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from winnow.storage import (
    atomic_folder,
    load_column,
    load_json,
    load_table,
    load_tensors,
    save_json,
    save_table,
    save_tensors,
)

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Images:
    """n labelled images of one size.

    pixels: uint8 [n, channels, height, width]; labels: int64 [n], positions in the class names; ids: str [n], stable
    under every option (an image keeps its id when fewer images are used or others are held out); positions: int64 [n],
    the index of the image in its source's own training (or test) set, for use with the user's own loader.
    """

    pixels: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    positions: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray | slice) -> "Images":
        """The images in these rows, in this order."""
        return Images(self.pixels[rows], self.labels[rows], self.ids[rows], self.positions[rows])


@dataclass(frozen=True)
class Dataset:
    """The three parts of a data set, its class names, and the mean and standard deviation of each channel of the
    training part, in units of the full pixel range (0 to 1)."""

    parts: dict[str, Images]  # one per name in PARTS; validation may hold no image
    class_names: list[str]
    mean: list[float]
    std: list[float]


def save_dataset(folder: str | Path, dataset: Dataset, about: dict[str, Any]) -> None:
    """Write a data set as a folder: dataset.json, and per part its pixels and a table of id, position and label."""
    import pandas as pd

    with atomic_folder(folder) as temporary:
        for name, part in dataset.parts.items():
            save_tensors(temporary / f"{name}.safetensors", {"pixels": part.pixels})
            table = pd.DataFrame({"id": part.ids.astype(str), "position": part.positions, "label": part.labels})
            save_table(temporary / f"{name}.parquet", table)
        facts = {
            "class_names": dataset.class_names,
            "mean": dataset.mean,
            "std": dataset.std,
            "images": {name: len(part) for name, part in dataset.parts.items()},
            **about,
        }
        save_json(temporary / "dataset.json", facts)


def load_facts(folder: str | Path) -> dict[str, Any]:
    """Class names, channel statistics, and how many images each part has."""
    return load_json(Path(folder) / "dataset.json")


def load_pixels(folder: str | Path, part: str) -> np.ndarray:
    """The pixels of one part of a saved data set, uint8 [n, c, h, w]."""
    return load_tensors(Path(folder) / f"{part}.safetensors", "pixels")["pixels"]


def load_labels(table: str | Path) -> np.ndarray:
    """The labels in a table of images, int64 [n], without its other columns, and without pandas, which most scores do
    not need."""
    return load_column(table, "label").astype(np.int64)


def load_part(folder: str | Path, part: str, labels: str | Path | None = None) -> Images:
    """Read one part of a saved data set; ``labels`` is a table whose labels take the place of the source's own.

    Raises UserError if a file is missing or damaged.
    """
    folder = Path(folder)
    table = load_table(labels or folder / f"{part}.parquet", columns=["id", "position", "label"])
    pixels = load_tensors(folder / f"{part}.safetensors", "pixels")["pixels"]
    return Images(
        pixels, table["label"].to_numpy(np.int64), table["id"].to_numpy(str), table["position"].to_numpy(np.int64)
    )
