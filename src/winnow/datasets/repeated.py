"""Images that a data set holds more than once, pixel for pixel."""

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from winnow.datasets.encoded import Encoded
from winnow.datasets.images import Dataset, Pixels, Rows, chunks

if TYPE_CHECKING:
    import pandas as pd

DIGEST = 16  # bytes: that any two of a thousand million images share theirs by chance has a probability of 1e-21


def repeated(dataset: Dataset) -> "pd.DataFrame":
    """The images that are there more than once: group (a number that the copies of one image share, from 0 in the
    order of their first), id, split and label (the name of the class).

    Images that stay encoded are compared by their files, so that none is decoded for it.
    """
    import pandas as pd

    joined = b"".join(digest for images in dataset.splits.values() for digest in _digests(images.pixels))
    first, second = np.frombuffer(joined, np.uint64).reshape(-1, DIGEST // 8).T
    digests = pd.DataFrame({"first": first, "second": second})
    copied = digests.duplicated(keep=False).to_numpy()
    groups = digests[copied].groupby(["first", "second"], sort=False).ngroup().to_numpy(np.int64)
    parts, names = [], np.array(dataset.class_names)
    for split, images in dataset.splits.items():
        rows, copied = np.flatnonzero(copied[: len(images)]), copied[len(images) :]
        parts.append(
            pd.DataFrame({"id": images.ids[rows].astype(str), "split": split, "label": names[images.labels[rows]]})
        )
    found = pd.concat(parts, ignore_index=True)
    found.insert(0, "group", groups)
    return found.sort_values("group", kind="stable", ignore_index=True)


def _digests(pixels: Pixels) -> Iterator[bytes]:
    array, rows = (pixels.array, pixels.rows) if isinstance(pixels, Rows) else (pixels, range(len(pixels)))
    if isinstance(array, Encoded):
        images: Iterator[bytes] = (array.bytes_of(row) for row in rows)
    else:
        images = (image.tobytes() for chunk in chunks(pixels) for image in chunk)
    return (hashlib.blake2b(image, digest_size=DIGEST).digest() for image in images)


def counts(table: "pd.DataFrame") -> dict[str, int]:
    """Of a table of ``repeated``: how many images are there more than once (``images``), how many of these have copies
    of another label (``other_labels``), and how many test images are among those that networks train on or are
    validated with (``test``)."""
    groups = table.groupby("group")
    labels = groups["label"].transform("nunique")
    seen = (table["split"] != "test").groupby(table["group"]).transform("any")
    return {
        "images": len(table),
        "other_labels": int((labels > 1).sum()),
        "test": int((seen & (table["split"] == "test")).sum()),
    }


def in_words(found: dict[str, int]) -> str:
    """``counts`` as a sentence, or nothing if no image is repeated."""
    if not found.get("images"):
        return ""
    return (
        f"{found['images']} images are there more than once (with a copy of another label: {found['other_labels']}; "
        f"test images with a copy in another split: {found['test']})"
    )
