"""Keep whole groups of images, such as classes, in an order of the groups."""

from typing import Any

import numpy as np

from winnow.selection.evidence import Chosen


def most_voted(
    groups: np.ndarray, votes: np.ndarray, second: np.ndarray, size: int, rng: np.random.Generator
) -> Chosen:
    """The images of the groups with the most votes, group by group, until there are ``size``. The last group may have
    room for some of its images only: these are drawn at random.

    Of groups with as many votes, the one with the larger ``second`` comes first, then the one with the lower number.
    ``Chosen.about`` says how many groups gave images, what share of the votes they have, and how many of the groups
    left out have as many votes as the last one taken: between these, only the second rule decided.

    groups: of every image, int64 [n]; votes: int [k]; second: float [k].
    """
    order = np.lexsort((-second, -votes))  # stable, so that the lower number comes first
    place = np.empty(len(votes), np.int64)
    place[order] = np.arange(len(votes))
    rows = np.lexsort((rng.random(len(groups)), place[groups]))[:size]
    kept = np.unique(groups[rows])
    last = votes[kept[place[kept].argmax()]]
    there = np.unique(groups)
    about: dict[str, Any] = {
        "groups": len(kept),
        "share_of_votes": float(votes[kept].sum() / votes.sum()),
        "ties": int((votes[there] == last).sum() - (votes[kept] == last).sum()),
    }
    return Chosen(rows, about=about)
