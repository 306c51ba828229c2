"""The code of D2 pruning's authors, and its ports of Moderate and k-center."""

import importlib
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import sklearn.metrics
import torch

from authors.cases import SIZE, Case, Compare, Images, by_prefix, importing, ours, unit
from winnow.selection.choose import method
from winnow.selection.evidence import Given

NEIGHBOURS, GAMMA = 5, 0.1
ARGS = {"n_neighbor": NEIGHBOURS, "gamma": GAMMA, "graph_mode": "sum", "graph_sampling_mode": "weighted"}
ARGS |= {"sampling_mode": "graph", "budget_mode": "uniform", "precomputed_dists": "", "precomputed_neighbors": ""}
ARGS |= {"aucpr": False}


def load(folder: Path) -> Compare:
    with importing(folder):
        coresets = importlib.import_module("core.data.Coreset")

    def compare(images: Images) -> Iterator[Case]:
        for part in (_over_all, _class_by_class, _ports):
            yield from part(coresets, images)

    return compare


def _over_all(coresets: Any, images: Images) -> Iterator[Case]:
    hard, features = _at_least_0(-images.margins), images.features.astype(np.float64)
    given, args = images.evidence(hard=hard), SimpleNamespace(**ARGS)

    def theirs(features: np.ndarray) -> list[int]:
        scores = torch.from_numpy(hard)
        graph = coresets.GraphDensitySampler(features, None, 0, gamma=GAMMA, importance_scores=scores, args=args)

        def first(count: int) -> list[int]:
            graph.graph_density = graph.starting_density.copy()
            return graph.select_batch_(count)

        return by_prefix(first, SIZE)

    medians, units = (ours("d2", given, score="hard", scale=scale) for scale in ("median", "unit"))
    why = "it takes distances as they are, so the choice depends on the features' scale"
    yield Case("d2", "D2", "", why, medians, theirs(features), ordered=True)
    over_median = features / _median_to_neighbours(features)
    yield Case("d2", "D2", "features over the median distance", "", medians, theirs(over_median), ordered=True)
    yield Case("d2", "D2", "features of length 1, scale: unit", "", units, theirs(unit(features)), ordered=True)


def _class_by_class(coresets: Any, images: Images) -> Iterator[Case]:
    hard, easy = _at_least_0(-images.margins), _at_least_0(images.margins)

    def theirs(scores: np.ndarray, key: str) -> np.ndarray:
        args = SimpleNamespace(**ARGS, coreset_key=key)
        random.seed(0)  # it shuffles
        features = unit(images.features.astype(np.float64))
        data = {key: torch.from_numpy(scores)}
        return np.array(coresets.CoresetSelection.density_sampling(data, images.labels, SIZE, args, features)[0])

    equal = ours("d2", images.evidence(hard=hard), score="hard", scale="unit", equal=True)

    def apart(scores: np.ndarray) -> np.ndarray:
        """Ours on the images of each class alone."""
        found = []
        for label in range(images.classes):
            rows, size = np.flatnonzero(images.labels == label), int((images.labels[equal] == label).sum())
            given = Given(np.zeros(len(rows), np.int64), 1, {"own": scores[rows]}, images.features[rows])
            chosen = method("d2")(given, size, np.random.default_rng(0), score="own", epoch=0, scale="unit")
            found.append(rows[chosen.rows])
        return np.concatenate(found)

    change = "its mode class, equal and scale: unit"
    why = "its graph has no edges between classes, ours has"
    yield Case("d2", "D2", change, why, equal, theirs(hard, "forgetting"))
    yield Case("d2", "D2", f"{change}, ours class by class", "", apart(hard), theirs(hard, "forgetting"))
    by_margin = theirs(images.margins, "accumulated_margin")
    change += ", ours class by class, its accumulated margin"
    why = "it takes images of a high margin for important, which are the easy ones"
    yield Case("d2", "D2", change, why, apart(hard), by_margin)
    yield Case("d2", "D2", f"{change}, ours by easiness", "", apart(easy), by_margin)


def _ports(coresets: Any, images: Images) -> Iterator[Case]:
    every, keep = np.arange(len(images.labels)), SIZE / len(images.labels)
    own, moderate = ours("moderate", images.evidence()), coresets.CoresetSelection.moderate_selection
    theirs = moderate({"targets": images.labels}, keep, images.features)
    yield Case("moderate", "D2's port", "", "it returns both ends in place of the middle", own, theirs)
    left = np.setdiff1d(every, moderate({"targets": images.labels}, 1 - keep, images.features))
    yield Case("moderate", "D2's port", "what it leaves out when 90% are to be kept", "", own, left)
    own = ours("k_center", images.evidence())
    start = np.concatenate([own[:1], np.setdiff1d(every, own[:1])])
    port = coresets.kCenterGreedy(images.features[start], y=None, seed=0)
    with mock.patch.dict(port.select_batch_.__globals__, {"max": np.max}):  # it prints an array as a number
        rows = start[port.select_batch_(None, SIZE)]
    change = "our first image as row 0, with which it starts"
    yield Case("k_center", "D2's port", change, "", own, rows, ordered=True)


def _at_least_0(scores: np.ndarray) -> np.ndarray:
    return scores - scores.min()


def _median_to_neighbours(features: np.ndarray) -> float:
    """The median distance from an image to one of its nearest neighbours, over all such pairs."""
    distances = sklearn.metrics.pairwise_distances(features)
    np.fill_diagonal(distances, np.inf)
    near = distances <= np.sort(distances, axis=1)[:, NEIGHBOURS - 1 : NEIGHBOURS]
    return float(np.median(distances[np.triu(near | near.T)]))
