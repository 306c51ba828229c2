"""Greedy maximisation of facility location: of all images, how near is the nearest kept one?

Similarities are rounded to 24 bits, whole multiples of one small number. So the sum of any of them in double precision
is exact, in whatever order, and equal gains are equal: often two images are the nearest of each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, frexp, log

import numpy as np

from winnow.selection.geometry import CHUNK

LARGEST = 1 << 14  # images of a group whose similarities are all in memory: 1 GiB
TOGETHER = 32  # gains computed at once
Rows = Callable[[np.ndarray], np.ndarray]  # of indices [k]: their similarities to all images, [k, n]


@dataclass(frozen=True)
class Facilities:
    """order: int64 [m], the images in the order of choice. nearest: int64 [n], for every image the place in ``order``
    of the most similar one; of equal ones the first; an image that is chosen has its own place."""

    order: np.ndarray
    nearest: np.ndarray


def facility_location(
    rows: Rows, images: int, count: int, size: float, floor: float, epsilon: float, rng: np.random.Generator
) -> Facilities:
    """Choose ``count`` of ``images`` images one by one, each of the highest gain: the sum over all images of how much
    more similar the most similar chosen one is. No similarity is above ``size``, or below minus ``size``. ``floor``:
    the similarity to the most similar one before any is chosen. Of equal gains the earlier image wins.

    Up to LARGEST images all similarities are computed once, and the greedy choice is exact. Beyond, each step is the
    best of a random sample of n log(1/epsilon) / m images (Mirzasoleiman et al. 2015, "Lazier than lazy greedy"): the
    expected sum is at least 1 - 1/e - epsilon of the best possible.
    """

    def rounded(indices: np.ndarray) -> np.ndarray:
        return on_grid(rows(indices), size)

    lowest = float(on_grid(np.array(floor), size))
    if images > LARGEST:
        return stochastic_greedy(rounded, images, count, lowest, epsilon, rng)
    matrix = np.empty((images, images), np.float32)
    for part in _chunks(np.arange(images), images):
        matrix[part] = rounded(part)
    return lazy_greedy(matrix, count, lowest)


def on_grid(values: np.ndarray, size: float) -> np.ndarray:
    """Values from -size to size, rounded to multiples of a power of two that float32 holds exactly: 2^24 of them reach
    ``size``, or up to twice as far."""
    step = 2.0 ** (frexp(size)[1] - 24)
    found: np.ndarray = (np.rint(values / step) * step).astype(np.float32)
    return found


def lazy_greedy(similarity: np.ndarray, count: int, floor: float) -> Facilities:
    """Exact greedy choice; float32 [n, n], row j the similarities to image j. Of equal gains the earlier image wins.

    A gain only falls as more is chosen (Minoux 1978), so one computed earlier is a bound, and most gains need no new
    computation.
    """
    images = len(similarity)
    order, nearest = np.empty(count, np.int64), np.zeros(images, np.int64)
    highest = np.full(images, floor, np.float32)
    bounds = np.concatenate([gains(similarity[part], highest) for part in _chunks(np.arange(images), images)])
    computed = np.zeros(images, np.int64)  # in which step
    for step in range(count):
        best = -np.inf  # of the gains computed in this step
        while computed[first := bounds.argmax()] < step:
            stale = np.flatnonzero((bounds > best) & (computed < step))
            if len(stale) > TOGETHER:
                stale = stale[np.argpartition(-bounds[stale], TOGETHER)[:TOGETHER]]
            if np.isinf(best) or len(stale) == 0:  # often the first is enough; or it is as good as the best
                stale = np.array([first])
            bounds[stale], computed[stale] = gains(similarity[stale], highest), step
            best = max(best, bounds[stale].max())
        order[step], bounds[first] = first, -np.inf
        _serve(similarity[first], step, highest, nearest)
    return _facilities(order, nearest)


def stochastic_greedy(
    rows: Rows, images: int, count: int, floor: float, epsilon: float, rng: np.random.Generator
) -> Facilities:
    """Each step takes the best of a random sample. Similarities are computed when they are needed."""
    order, nearest, left = np.empty(count, np.int64), np.zeros(images, np.int64), np.arange(images)
    highest = np.full(images, floor, np.float32)
    for step in range(count):
        size = min(ceil(images / count * log(1 / epsilon)), len(left))
        sample = np.sort(rng.choice(left, size, replace=False))
        found = np.concatenate([gains(rows(part), highest) for part in _chunks(sample, images)])
        order[step] = sample[found.argmax()]
        _serve(rows(order[step : step + 1])[0], step, highest, nearest)
        left = left[left != order[step]]
    return _facilities(order, nearest)


def gains(similarity: np.ndarray, highest: np.ndarray) -> np.ndarray:
    """Of k images by their similarities to all images, float32 [k, n], where ``highest`` is that to the most similar
    chosen one, float32 [n]: float64 [k]."""
    with_it = np.maximum(similarity, highest)
    return np.einsum("kn->k", with_it, dtype=np.float64) - highest.sum(dtype=np.float64)


def _serve(similarity: np.ndarray, step: int, highest: np.ndarray, nearest: np.ndarray) -> None:
    """Note which images are most similar to the one chosen in this step."""
    nearest[similarity > highest] = step
    np.maximum(highest, similarity, out=highest)


def _facilities(order: np.ndarray, nearest: np.ndarray) -> Facilities:
    nearest[order] = np.arange(len(order))
    return Facilities(order, nearest)


def _chunks(indices: np.ndarray, images: int) -> list[np.ndarray]:
    """Indices in parts whose rows of similarities, [part, images], are small."""
    return np.array_split(indices, ceil(len(indices) * images / CHUNK))
