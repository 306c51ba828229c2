"""Data sets in memory and on disk: uint8 pixels, labels, stable ids, class names, channel statistics."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.datasets.encoded import Encoded
from winnow.storage import (
    atomic_folder,
    load_column,
    load_json,
    load_tensors,
    map_tensor,
    readable,
    save_json,
    save_rows,
    save_table,
    tensors_in,
)
from winnow.streams import numpy_stream

if TYPE_CHECKING:
    import pandas as pd

SPLITS = ("train", "validation", "test")
CHUNK_BYTES = 2**22  # of pixels in memory at a time
LARGEST = 2**28  # bytes of an image whose file says how large it is


@dataclass(frozen=True)
class Rows:
    """Some rows of an array, in any order. Indexing copies them.

    Most arrays of pixels are memory maps, so a subset of one takes memory only for its row numbers, int64 [n].
    """

    array: np.ndarray | Encoded
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        return self.array[self.rows[index]]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.array.shape[1:])


# uint8 [n, channels, height, width]; all have len and shape, and take numbers, slices and rows
Pixels = np.ndarray | Encoded | Rows


def chunks(pixels: Pixels) -> Iterator[np.ndarray]:
    """All images in their order, a few MiB at a time."""
    count = max(1, CHUNK_BYTES // int(np.prod(pixels.shape[1:])))
    parts = (slice(start, start + count) for start in range(0, len(pixels), count))
    array = pixels.array if isinstance(pixels, Rows) else pixels
    if isinstance(array, Encoded):
        return array.several(pixels.rows[part] if isinstance(pixels, Rows) else part for part in parts)
    return (pixels[part] for part in parts)


@dataclass(frozen=True)
class Labelled:
    """n images of one size. pixels: uint8 [n, channels, height, width]; labels: int64 [n], indices into the class
    names."""

    pixels: Pixels
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray | slice) -> "Labelled":
        """The images in these rows, in this order; their pixels are not copied."""
        return Labelled(_take(self.pixels, rows), self.labels[rows])


@dataclass(frozen=True)
class Images(Labelled):
    """Labelled images and where they come from.

    ids: str [n], the same under every option (an image keeps its id when fewer images are used or others are held
    out); positions: int64 [n], the index of the image in its source's own training (or test) set, for the user's own
    loader. So an image takes some 100 bytes of memory beside its pixels, most of them for its id.
    """

    ids: np.ndarray
    positions: np.ndarray

    def take(self, rows: np.ndarray | slice) -> "Images":
        """The images in these rows, in this order; their pixels are not copied."""
        return Images(_take(self.pixels, rows), self.labels[rows], self.ids[rows], self.positions[rows])


def _take(pixels: Pixels, rows: np.ndarray | slice) -> Rows:
    if isinstance(pixels, Rows):
        return Rows(pixels.array, pixels.rows[rows])
    return Rows(pixels, np.arange(len(pixels))[rows])


def sample(images: Labelled, count: int | None) -> Labelled:
    """Draw ``count`` images at random and keep their order; all images if count is None or there are no more.

    Every call draws the same images, and a larger count includes those of a smaller one. (The first images would not
    do: many sources are sorted by class.)
    """
    if count is None or count >= len(images):
        return images
    return images.take(np.sort(numpy_stream(0, "measured_on").permutation(len(images))[:count]))


@dataclass(frozen=True)
class Dataset:
    """The three splits of a data set, its class names, and the mean and standard deviation of each channel of the
    training split, in units of the full pixel range (0 to 1)."""

    splits: dict[str, Images]  # one per name in SPLITS; validation may hold no image
    class_names: list[str]
    mean: list[float]
    std: list[float]


def save_dataset(
    folder: str | Path, dataset: Dataset, about: dict[str, Any], repeated: "pd.DataFrame | None" = None
) -> None:
    """Write a data set as a folder: dataset.json, and for each split its pixels and a table of id, position, label.
    repeated: a further table, of the images that are there more than once."""
    import pandas as pd

    with atomic_folder(folder) as temporary:
        for name, split in dataset.splits.items():
            _save_pixels(temporary / f"{name}.safetensors", split.pixels)
            table = pd.DataFrame({"id": split.ids.astype(str), "position": split.positions, "label": split.labels})
            save_table(temporary / f"{name}.parquet", table)
        facts = {
            "class_names": dataset.class_names,
            "mean": dataset.mean,
            "std": dataset.std,
            "images": {name: len(split) for name, split in dataset.splits.items()},
            **about,
        }
        if repeated is not None:
            save_table(temporary / "repeated.csv", repeated)
        save_json(temporary / "dataset.json", facts)


def _save_pixels(path: Path, pixels: Pixels) -> None:
    array, rows = (pixels.array, pixels.rows) if isinstance(pixels, Rows) else (pixels, np.arange(len(pixels)))
    if not isinstance(array, Encoded):
        return save_rows(path, "pixels", pixels.shape, chunks(pixels))
    ends = np.concatenate([[0], np.cumsum(array.ends[rows + 1] - array.ends[rows])])
    about = {"ends": ends, "of_image": np.array(array.of_image), "resized": np.array(array.resized, np.int64)}
    files = (array.data[array.ends[row] : array.ends[row + 1]] for row in rows)
    save_rows(path, "encoded", (int(ends[-1]),), files, about)


def load_facts(folder: str | Path) -> dict[str, Any]:
    """Class names, channel statistics, and the number of images in each split."""
    return load_json(Path(folder) / "dataset.json")


def load_pixels(folder: str | Path, split: str) -> np.ndarray | Encoded:
    """The pixels of one split of a saved data set, uint8 [n, c, h, w], as a read-only memory map, or of files in one
    that are decoded when they are read.

    Raises UserError if the file is missing or damaged.
    """
    path = Path(folder) / f"{split}.safetensors"
    if "encoded" not in tensors_in(path):
        return map_tensor(path, "pixels")
    data, about = map_tensor(path, "encoded"), load_tensors(path, "ends", "of_image", "resized")
    ends, of_image = about["ends"], tuple(about["of_image"].tolist())
    with readable(path, "file of encoded images"):
        if ends.ndim != 1 or not len(ends) or ends[0] != 0 or ends[-1] != len(data) or (np.diff(ends) < 0).any():
            raise ValueError("its images do not fill it")
        if len(of_image) != 3 or min(of_image) < 1 or math.prod(of_image) > LARGEST:
            raise ValueError("it does not say a shape that an image may have")
    return Encoded(data, ends, of_image, bool(about["resized"]), lambda row: f"{path} image {row}")


def load_labels(table: str | Path) -> np.ndarray:
    """The labels in a table of images, int64 [n]. Reads no other column, and does not import pandas, which most scores
    do not need."""
    return load_column(table, "label").astype(np.int64)


def load_split(folder: str | Path, split: str, labels: str | Path | None = None) -> Labelled:
    """One split of a saved data set; ``labels`` is a table whose labels replace the source's own.

    Raises UserError if a file is missing or damaged.
    """
    return Labelled(load_pixels(folder, split), load_labels(labels or Path(folder) / f"{split}.parquet"))
