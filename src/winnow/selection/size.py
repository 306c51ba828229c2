"""How many images to keep, in total and of every class."""

import numpy as np


def kept(keep: float | int, images: int) -> int:
    """How many of ``images`` images to keep: an int is a count, a float a fraction (rounded to whole images).

    Raises ValueError if that is no image, or more images than there are.
    """
    count = keep if isinstance(keep, int) else round(keep * images)
    if not 0 < count <= images:
        raise ValueError(f"{keep} is {count} of the {images} training images; it must be from 1 to {images}")
    return count


def per_class_counts(size: int, labels: np.ndarray, classes: int) -> np.ndarray:
    """How many images of each class to keep, int64 [classes], so that every class keeps the same fraction.

    The counts sum to ``size``: what rounding down leaves over goes to the classes with the largest remainders.
    """
    sizes = np.bincount(labels, minlength=classes)
    exact = size * sizes / len(labels)
    counts = np.floor(exact).astype(np.int64)
    order = np.argsort(counts - exact, kind="stable")  # largest remainder first, then the lower class
    counts[order[: size - counts.sum()]] += 1
    return counts


def parts(size: int, labels: np.ndarray, classes: int, per_class: bool) -> list[tuple[np.ndarray, int]]:
    """The groups of rows to choose from, and how many of each: the classes as in ``per_class_counts``, or all rows.

    Leaves out classes of which none is kept. Rows rise.
    """
    if not per_class:
        return [(np.arange(len(labels)), size)]
    counts = per_class_counts(size, labels, classes)
    return [(np.flatnonzero(labels == label), int(count)) for label, count in enumerate(counts) if count]
