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
    return rounded(size * sizes / len(labels), size)


def equal_counts(size: int, labels: np.ndarray, classes: int) -> np.ndarray:
    """How many images of each class to keep, int64 [classes], so that every class keeps the same number, and a smaller
    class all it has. The counts sum to ``size``."""
    return rounded(fill(np.ones(classes), np.bincount(labels, minlength=classes), size), size)


def fill(shares: np.ndarray, capacities: np.ndarray, total: float) -> np.ndarray:
    """Divide ``total`` among groups in proportion to their shares, as far as each has room: float64 [groups].

    What does not fit into a group goes to the others, in the same proportions, until none overflows. A group whose
    share is 0 gets nothing until all others are full; then such groups share the rest by their room. shares: [groups],
    not negative; capacities: [groups], at least ``total`` together.
    """
    found = np.zeros(len(shares))
    for weights in (shares, np.where(shares > 0, 0, capacities)):
        open_ = weights > 0
        while open_.any():
            quota = (total - found.sum() + found[open_].sum()) * weights / weights[open_].sum()
            full = open_ & (quota >= capacities)
            found[open_] = np.minimum(quota, capacities)[open_]
            if not full.any():
                break
            open_ &= ~full
    return found


def rounded(exact: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers for numbers [groups] that sum to ``total``, int64 [groups]. They have the same sum. What rounding
    down leaves over goes to the largest remainders, and of equal ones to the earlier group."""
    counts = np.floor(exact).astype(np.int64)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: total - counts.sum()]] += 1
    return counts


def parts(
    size: int, labels: np.ndarray, classes: int, per_class: bool, equal: bool = False
) -> list[tuple[np.ndarray, int]]:
    """The groups of rows to choose from, and how many of each: the classes as in ``per_class_counts``, with ``equal``
    as in ``equal_counts``; or all rows.

    Leaves out classes of which none is kept. Rows rise.
    """
    if not per_class:
        return [(np.arange(len(labels)), size)]
    counts = (equal_counts if equal else per_class_counts)(size, labels, classes)
    return [(np.flatnonzero(labels == label), int(count)) for label, count in enumerate(counts) if count]
