"""What subsets cover: classes, strata of a score, and neighbourhoods of feature space.

A subset of the highest scores falls below a random one where it leaves easy strata and whole neighbourhoods empty
(Zheng et al. 2023, "Coverage-centric coreset selection for high pruning rates"). How far images lie from the
nearest kept one bounds the loss on them; the largest such distance is the covering radius (Sener and Savarese 2018,
"Active learning for convolutional neural networks: a core-set approach", Theorem 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from winnow.clusters import k_means, unit

STRATA = 10
IN_A_NEIGHBOURHOOD = 20  # images, on average …
MOST = 500  # … but no more neighbourhoods than this
ENOUGH = 100_000  # images by which neighbourhoods are found; of more a random sample
MEASURED = 2000  # images whose distances are measured, drawn at random; of fewer all
BLOCK = 2**22  # distances in memory at once
NUMBERS = 2**25  # features of the images that are looked for in feature space: these are drawn at random, if not all


@dataclass(frozen=True)
class Space:
    """All n images, by what a subset may cover of them.

    labels, strata: int64 [n]. placed: int64 [p], the rows of the images that are looked for in feature space, rising.
    neighbourhoods: int64 [p] and points: float32 [p, d], where those are. measured: int64 [m], which of the p images'
    distance to the nearest kept one is measured.
    """

    labels: np.ndarray
    strata: np.ndarray
    placed: np.ndarray
    neighbourhoods: np.ndarray
    points: np.ndarray
    measured: np.ndarray


def placed(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The rows of the images to look for in feature space, int64 [p], rising: all, or as many at random as have NUMBERS
    features. The outputs of a million images with a thousand classes take more memory than most machines have.

    features: [n, d], perhaps a memory map.
    """
    images, most = len(features), max(1, NUMBERS // features.shape[1])
    return np.arange(images) if images <= most else np.sort(rng.choice(images, most, replace=False))


def space(
    labels: np.ndarray, score: np.ndarray, rows: np.ndarray, features: np.ndarray, rng: np.random.Generator
) -> Space:
    """labels: int64 [n]; score: float [n]; rows: int64 [p], as ``placed``; features: of these, float [p, d], which are
    taken for unit vectors. rng draws what k-means begins with, and the images whose distance is measured."""
    points = unit(features)
    of_points = neighbourhoods(points, rng)
    measured = np.sort(rng.choice(len(points), min(MEASURED, len(points)), replace=False))
    return Space(labels, strata(score), rows, of_points, points, measured)


def strata(score: np.ndarray) -> np.ndarray:
    """The tenth of the ranking in which each of [n] images is: from 0, the lowest scores, to 9. Images without a score
    (NaN) rank above all others; of equal ones the earlier rows rank lower."""
    places = np.empty(len(score), np.int64)
    places[np.argsort(score, kind="stable")] = np.arange(len(score))
    return STRATA * places // len(score)


def neighbourhoods(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Clusters of points [n, d] by k-means, which begins with points drawn at random: numbers from 0, int64 [n]."""
    count = min(MOST, max(1, len(points) // IN_A_NEIGHBOURHOOD))
    return k_means(points, count, rng, ENOUGH if len(points) > ENOUGH else None)


def coverage(over: Space, rows: np.ndarray) -> dict[str, float]:
    """What the images in ``rows`` (int64 [m], distinct) cover of all.

    - neighbourhoods: the fraction of them that have a kept image; covered: the fraction of all images that lie in one
      of these, as a dense neighbourhood counts for more than one of two outliers;
    - distance: the mean over all images, or those measured, of the Euclidean distance to the nearest kept one; NaN
      where none is kept; these three are of the images in ``over.placed`` only;
    - smallest_class: the smallest fraction kept of a class, and class_entropy: the entropy of the classes of the kept
      images; both over that of all images, so 1 if every class is kept alike;
    - stratum_1 (the lowest scores) to stratum_10: the fraction kept of each tenth of the ranking.
    """
    kept = np.zeros(len(over.labels), bool)
    kept[rows] = True
    of_class, of_stratum = (fractions(kept, groups) for groups in (over.labels, over.strata))
    kept_here = kept[over.placed]
    of_neighbourhood = fractions(kept_here, over.neighbourhoods)
    distance = distances(over.points, over.measured, kept_here).mean() if kept_here.any() else np.nan
    return {
        "neighbourhoods": float((of_neighbourhood > 0).mean()),
        "covered": float((of_neighbourhood > 0)[over.neighbourhoods].mean()),
        "distance": float(distance),
        "smallest_class": float(np.nanmin(of_class) / kept.mean()),
        "class_entropy": _relative_entropy(over.labels, kept),
        **{f"stratum_{number}": float(fraction) for number, fraction in enumerate(of_stratum, 1)},
    }


def fractions(kept: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The fraction kept of every group, float64 [groups]; NaN of a number that no image has. kept: bool [n]; groups:
    int64 [n]."""
    every = np.bincount(groups)
    with np.errstate(invalid="ignore"):
        return np.bincount(groups[kept], minlength=len(every)) / every


def distances(points: np.ndarray, measured: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The Euclidean distance of the points [n, d] in the rows ``measured`` to the nearest kept one: float32 [m].

    The nearest is found by products, in blocks of bounded memory; its distance is taken from the difference, as
    products would round a small one away. kept: bool [n].
    """
    there = points[kept]
    squares = np.einsum("nd,nd->n", there, there)
    found = np.zeros(len(measured), np.float32)
    away = np.flatnonzero(~kept[measured])
    with threadpool_limits(1, user_api="blas"):
        for block in np.array_split(away, max(1, len(away) * len(there) // BLOCK)):
            own = points[measured[block]]
            found[block] = np.linalg.norm(own - there[(squares - 2 * (own @ there.T)).argmin(axis=1)], axis=1)
    return found


def coverage_table(subsets: Mapping[tuple[str, str], np.ndarray], over: Space) -> pd.DataFrame:
    """One row for each subset, of which rows are given by method and keep: method, keep, fraction, images, and what
    it covers (of ``coverage``)."""
    images = len(over.labels)
    return pd.DataFrame(
        [
            {"method": method, "keep": keep, "fraction": len(rows) / images, "images": len(rows)} | coverage(over, rows)
            for (method, keep), rows in subsets.items()
        ]
    )


def beside_random(table: pd.DataFrame) -> pd.DataFrame:
    """The table of ``coverage_table`` with the column distance_to_random: distance over that of the random subset of
    the same keep; NaN where there is none, or where its distance is 0."""
    random = table[table["method"] == "random"].set_index("keep")["distance"]
    ratio = table["distance"] / table["keep"].map(random).replace(0, np.nan)
    found = table.copy()
    found.insert(list(found).index("distance") + 1, "distance_to_random", ratio)
    return found


def _relative_entropy(labels: np.ndarray, kept: np.ndarray) -> float:
    """The entropy of the kept images' labels over that of all; 1 if there is one class only."""
    whole = _entropy(labels)
    return _entropy(labels[kept]) / whole if whole else 1.0


def _entropy(labels: np.ndarray) -> float:
    counts = np.bincount(labels)
    parts = counts[counts > 0] / counts.sum()
    return float(-(parts * np.log(parts)).sum())
