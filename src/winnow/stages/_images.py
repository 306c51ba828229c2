"""The images that stages train and test networks on."""

from typing import Any

import numpy as np
import torch

from winnow.datasets.images import Labelled, load_split
from winnow.selection.files import load_subset
from winnow.storage import load_column
from winnow.training.batches import DeviceImages, to_device


def training_images(subset: str = "full") -> Labelled:
    """The training images with the labels to train on: all images, or a subset such as select/el2n-0.5."""
    images = load_split("data/images", "train", labels="data/labels.parquet")
    if subset == "full":
        return images
    return images.take(rows_of(subset))


def rows_of(subset: str) -> np.ndarray:
    """The rows of a subset such as select/el2n-0.5 among all training images, int64 [m], rising."""
    positions = load_column("data/labels.parquet", "position")
    return np.flatnonzero(np.isin(positions, load_subset(f"data/{subset}.parquet").positions))


def to_train_on(subset: str, facts: dict[str, Any], device: torch.device) -> DeviceImages:
    """``training_images`` on the device, with weights if the subset gives any."""
    weights = None if subset == "full" else load_subset(f"data/{subset}.parquet").weights
    return to_device(training_images(subset), facts, device).weighted(weights)


def held_out(facts: dict[str, Any], device: torch.device) -> dict[str, DeviceImages]:
    """The validation split and the test split, each if it has any images."""
    names = [name for name in ("validation", "test") if facts["images"][name]]
    return {name: to_device(load_split("data/images", name), facts, device) for name in names}
