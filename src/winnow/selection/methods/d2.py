"""D2 pruning (Maharana et al. 2024, "D2 Pruning: message passing for balancing diversity and difficulty in data
pruning", sec. 3).

Messages decay with exp(-distance), which is 0 for raw features of a large norm; so distances are scaled here. Edges go
both ways, as in the authors' code. That scores below 0 are shifted, and the choice of the scale, are this library's.
"""

import heapq
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Lt
from threadpoolctl import threadpool_limits

from winnow.clusters import unit
from winnow.counts import equal_counts
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.geometry import points
from winnow.selection.methods.ccs import finite, without_hardest

NEEDS_FEATURES = True
CHUNK = 1 << 22  # numbers of a block of differences


def d2(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    score: str,
    epoch: int,
    k: Annotated[int, Ge(0)] = 5,
    gamma: Annotated[float, Ge(0)] = 0.1,
    cutoff: Annotated[float, Ge(0), Lt(1)] = 0.0,
    scale: Literal["median", "unit"] = "median",
    equal: bool = False,
) -> Chosen:
    """Take hard images in dense places first, and none that a neighbour already stands for.

    score: of difficulty, after an epoch; if some are below 0, all are shifted to begin at 0. cutoff: first leave out
    this fraction of the images, the hardest. k: each image is joined to its nearest neighbours in the features of that
    epoch, so many, and to those it is a neighbour of; 0 gives the highest scores. Every image adds to its score those
    of its neighbours, each times exp(-distance). Then, again and again, the image of the highest sum is chosen, and its
    sum times exp(-gamma distance) is taken off its neighbours' sums; of equal sums the earlier row goes first.

    scale: distances are over their median, of those between neighbours that are not 0; or, with unit, between features
    of length 1. equal: stop at the same number of images of every class.

    Nothing is random. Rows are in the order of choice, so a larger subset contains a smaller one, unless equal or the
    cutoff says otherwise. Finding the neighbours needs n x n x d operations, the rest about m x k.

    Raises ValueError if the cutoff leaves fewer than ``size`` images.
    """
    values = finite(evidence.score(score, epoch))
    left = np.sort(without_hardest(values, cutoff, size))
    labels = evidence.labels[left] if equal else np.zeros(len(left), np.int64)
    room = equal_counts(size, labels, evidence.classes if equal else 1)
    edges = neighbours(points(evidence, epoch)[left], k, scale)
    return Chosen(left[_choose(values[left] - min(values.min(), 0), edges, gamma, labels, room)])


@dataclass(frozen=True)
class Edges:
    """Neighbours both ways: those of row i are others[starts[i] : starts[i + 1]], int64, rising, at ``distances``."""

    starts: np.ndarray
    others: np.ndarray
    distances: np.ndarray


def neighbours(features: np.ndarray, k: int, scale: str) -> Edges:
    """Join every row of [n, d] to its k nearest, and these to it. Distances as ``d2`` says of ``scale``."""
    rows = unit(features) if scale == "unit" else features
    count = min(k, len(rows) - 1)
    if count == 0:
        return Edges(np.zeros(len(rows) + 1, np.int64), np.zeros(0, np.int64), np.zeros(0))
    from sklearn.neighbors import NearestNeighbors

    with threadpool_limits(1):  # so that equal distances do not depend on the number of threads
        nearest = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(rows).kneighbors(return_distance=False)
    low = np.minimum(np.arange(len(rows))[:, None], nearest).ravel()
    high = np.maximum(np.arange(len(rows))[:, None], nearest).ravel()
    low, high = np.divmod(np.unique(low * len(rows) + high), len(rows))
    distances = _distances(rows, low, high)
    apart = distances[distances > 0]
    if scale == "median" and len(apart):
        distances /= np.median(apart)
    own, others = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.lexsort((others, own))
    starts = np.concatenate([[0], np.cumsum(np.bincount(own, minlength=len(rows)))])
    return Edges(starts, others[order], np.tile(distances, 2)[order])


def _distances(rows: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Of pairs of rows, from their differences: a product would round a small distance away. float64 [pairs]."""
    found = np.empty(len(low))
    step = max(1, CHUNK // rows.shape[1])
    for start in range(0, len(low), step):
        part = slice(start, start + step)
        found[part] = np.linalg.norm(rows[low[part]].astype(np.float64) - rows[high[part]], axis=1)
    return found


def _choose(values: np.ndarray, edges: Edges, gamma: float, labels: np.ndarray, room: np.ndarray) -> np.ndarray:
    """The rows in the order of choice, of each label as many as it has room for."""
    own = np.repeat(np.arange(len(values)), np.diff(edges.starts))
    messages = np.exp(-edges.distances) * values[edges.others]
    sums = (
        values + np.bincount(own, messages, minlength=len(values))
    ).tolist()  # single numbers of lists are read fast
    decay, left = np.exp(-gamma * edges.distances), room.copy()
    heap = [(-value, row) for row, value in enumerate(sums)]
    heapq.heapify(heap)
    done = np.zeros(len(values), bool)
    chosen: list[int] = []
    while len(chosen) < room.sum():
        value, row = heapq.heappop(heap)
        if done[row] or value != -sums[row]:
            continue  # an entry of before its sum changed
        done[row] = True
        if left[labels[row]] == 0:
            continue
        left[labels[row]] -= 1
        chosen.append(row)
        part = slice(edges.starts[row], edges.starts[row + 1])
        for other, share in zip(edges.others[part].tolist(), decay[part].tolist(), strict=True):
            if not done[other]:
                sums[other] -= share * sums[row]
                heapq.heappush(heap, (-sums[other], other))
    return np.array(chosen, np.int64)
