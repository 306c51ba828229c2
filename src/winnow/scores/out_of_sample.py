"""Scores of images by networks that have not trained on them: those of cohorts with folds."""

from collections.abc import Iterable, Sequence

import numpy as np

from winnow import methods
from winnow.scores.families import OF_OUTPUTS
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import SeedScores


def out_of_sample(
    names: Iterable[str], cohorts: Sequence[EarlyRuns], judged: np.ndarray | None = None
) -> dict[str, SeedScores]:
    """Those of the scores that are of outputs, at every scored epoch. Empty if some image has no network that has not
    trained on it.

    judged: the images that matter, bool [n], such as those whose labels are not trusted; the others get NaN. None for
    all.

    A seed of what this gives is a set of networks that together have left out every image, such as all seeds of a
    cohort with as many folds.
    """
    asked = {name: methods.find(OF_OUTPUTS, name) for name in names if name in methods.names(OF_OUTPUTS)}
    labels, epochs = cohorts[0].labels, cohorts[0].epochs
    found: dict[str, list[list[np.ndarray]]] = {name: [] for name in asked}
    for epoch in epochs:
        outputs = unseen_outputs(cohorts, epoch, judged)
        if not len(outputs):
            return {}
        for name, score in asked.items():
            scores = [score(of_set, labels) for of_set in outputs]
            found[name].append([values if judged is None else np.where(judged, values, np.nan) for values in scores])
    values = {name: np.array(of_epochs, np.float32).swapaxes(0, 1) for name, of_epochs in found.items()}
    return {name: SeedScores(of_sets, list(range(len(of_sets))), epochs) for name, of_sets in values.items()}


def unseen_outputs(cohorts: Sequence[EarlyRuns], epoch: int, judged: np.ndarray | None = None) -> np.ndarray:
    """Log softmax of every image by the first, second, … network that has not trained on it, as far as all that are
    judged have one: float32 [sets, n, classes]; of the others it may be uniform."""
    networks = [(runs, seed) for runs in cohorts for seed in runs.seeds]
    unseen = ~np.stack([runs.seen(seed) for runs, seed in networks])
    number = np.cumsum(unseen, axis=0) - 1  # which of the image's networks it is
    sets = int(unseen.sum(axis=0)[slice(None) if judged is None else judged].min())
    found = np.empty((0, 0, 0), np.float32)
    for place, (runs, seed) in enumerate(networks if sets else ()):
        outputs = runs.log_probabilities(seed, epoch)
        if place == 0:
            found = np.full((sets, *outputs.shape), -np.log(outputs.shape[1]), np.float32)
        for wanted in range(sets):
            rows = unseen[place] & (number[place] == wanted)
            found[wanted, rows] = outputs[rows]
    return found
