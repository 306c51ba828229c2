"""k-means: groups of rows around their means."""

import numpy as np

CHUNK = 2**22  # distances in memory at a time
ROUNDS = 100


def k_means(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The group of every row, int64 [n], from 0 to ``count`` - 1, by Lloyd's algorithm.

    It begins with centres drawn as in k-means++ (Arthur and Vassilvitskii 2007, sec. 2.2), and ends when no row changes
    its group, or after ROUNDS rounds. A group that loses all its rows stays empty. The cost of a round is n times count
    times d.

    rows: float [n, d]. Raises ValueError if there are fewer rows than groups.
    """
    if count > len(rows):
        raise ValueError(f"{count} groups are more than the {len(rows)} images")
    rows = rows.astype(np.float64)
    centres, groups = first_centres(rows, count, rng), np.full(len(rows), -1)
    for _ in range(ROUNDS):
        before, groups = groups, nearest(rows, centres)
        if np.array_equal(before, groups):
            break
        centres = means(rows, groups, centres)
    return groups


def first_centres(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Rows to begin with, float64 [count, d]: each is drawn with a probability that grows with the squared distance to
    the nearest one before it."""
    centres = np.empty((count, rows.shape[1]))
    centres[0] = rows[rng.integers(len(rows))]
    squares = np.full(len(rows), np.inf)
    for i in range(1, count):
        squares = np.minimum(squares, ((rows - centres[i - 1]) ** 2).sum(axis=1))
        total = squares.sum()
        centres[i] = rows[rng.choice(len(rows), p=squares / total) if total > 0 else rng.integers(len(rows))]
    return centres


def nearest(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of every row, int64 [n]; of equally near ones the first."""
    norms = (centres**2).sum(axis=1)
    step = max(1, CHUNK // len(centres))
    parts = [(norms - 2 * rows[start : start + step] @ centres.T).argmin(axis=1) for start in range(0, len(rows), step)]
    return np.concatenate(parts)


def means(rows: np.ndarray, groups: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The mean of every group, float64 [count, d]; an empty group keeps its centre."""
    sizes = np.bincount(groups, minlength=len(centres))
    sums = np.zeros_like(centres)
    np.add.at(sums, groups, rows)
    return np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
