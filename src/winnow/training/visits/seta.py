"""SeTa (Zhou et al. 2025, "Scale Efficient Training for Large Datasets")."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from winnow.training.plan import Moment, Plan, Visits
from winnow.training.visits._draws import draw
from winnow.training.visits._losses import last_losses, unknown

ROUNDS = 100  # of k-means; from the best division of the chunks it settles much earlier
CHUNKS = 512  # of the distinct losses, of which the best division is found


def seta(
    images: int,
    epochs: int,
    *,
    ratio: Annotated[float, Ge(0), Lt(1)] = 0.1,
    groups: Annotated[int, Ge(1), Le(100)] = 5,
    window: Annotated[float, Gt(0), Le(1)] = 0.9,
    delta: Annotated[float, Ge(0), Le(1)] = 0.875,
) -> Plan:
    """Group a random share of the images by their last loss, and visit some neighbouring groups: a window that moves
    from easy to hard, epoch by epoch, and begins again.

    ratio: the share of the images that no epoch draws (r). groups: of equal losses or near, by k-means (k). window: the
    share of the groups in the window (alpha); it holds w = round(alpha k) groups, at least one, rounded as the authors'
    code does, half to even, where the paper says up. In epoch t, counted from 0, it begins at group t mod (k - w + 1).
    delta: up to this share of the epochs. The epochs after it, and the first, visit all that is drawn. All images count
    the same, so the gradients are not those of all images.

    The defaults are the paper's for CIFAR; for ImageNet it has ratio 0 and window 0.6.
    """
    wide = max(1, round(window * groups))

    def choose(moment: Moment) -> Visits:
        drawn = draw(moment.rng, np.arange(images), int((1 - ratio) * images))
        if not 0 < moment.epoch < delta * epochs:
            return Visits(drawn)
        group = groups_of(moment.state["loss"][drawn].astype(np.float64), groups)
        first = moment.epoch % (groups - wide + 1)
        return Visits(drawn[(first <= group) & (group < first + wide)])

    return Plan(choose, unknown(images), last_losses)


def groups_of(losses: np.ndarray, count: int) -> np.ndarray:
    """The group of every loss [n], int64, from 0 for the lowest, by k-means on the line. Where there are fewer distinct
    losses than groups, the groups are chunks of equal size of the losses in order.

    Up to 512 distinct losses, this is the division of the least squared distance. Of more, it is a local optimum, which
    the best division of 512 chunks leads to.
    """
    values, place, times = np.unique(losses, return_inverse=True, return_counts=True)
    if len(values) < count:
        found = np.empty(len(losses), np.int64)
        parts = np.array_split(np.argsort(losses, kind="stable"), count)
        found[np.concatenate(parts)] = np.repeat(np.arange(count), [len(part) for part in parts])
        return found
    sums = np.concatenate([[0.0], np.cumsum(times * values)])
    sizes = np.concatenate([[0], np.cumsum(times)])
    ends = _best_ends(values - sums[-1] / sizes[-1], times, count)  # around 0, where squares lose no digits
    for _ in range(ROUNDS):
        centres = np.diff(sums[ends]) / np.diff(sizes[ends])
        middles = (centres[:-1] + centres[1:]) / 2
        before, ends = ends, np.concatenate([[0], np.searchsorted(values, middles, side="right"), [len(values)]])
        if np.array_equal(before, ends) or (np.diff(ends) == 0).any():  # settled, or a group would lose all it has
            ends = before
            break
    return np.repeat(np.arange(count), np.diff(ends))[place]


def _best_ends(values: np.ndarray, times: np.ndarray, count: int) -> np.ndarray:
    """Where to divide rising values, which occur so many times, into groups of the least squared distance to their
    means: places int64 [count + 1], from 0 to n. By dynamic programming over at most ``CHUNKS`` chunks of them."""
    places = np.linspace(0, len(values), min(len(values), CHUNKS) + 1).astype(np.int64)
    size, total, square = (np.concatenate([[0.0], np.cumsum(times * values**power)])[places] for power in (0, 1, 2))
    number = np.subtract.outer(size, size).T
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.subtract.outer(square, square).T - np.subtract.outer(total, total).T ** 2 / number
    cost[number <= 0] = np.inf  # from chunk to chunk [from, to]: a group has a value at least
    best, came = cost[0], []
    for _ in range(count - 1):
        sums = best[:, None] + cost
        came.append(sums.argmin(axis=0))
        best = sums.min(axis=0)
    ends = [len(places) - 1]
    for before in reversed(came):
        ends.append(int(before[ends[-1]]))
    return places[[0, *reversed(ends)]]
