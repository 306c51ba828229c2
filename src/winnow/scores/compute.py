"""Compute a score that needs no pass through a network, for one cohort, by the score's name."""

from collections.abc import Callable

import numpy as np

from winnow import methods
from winnow.scores.families import OF_DATA, OF_OUTPUTS, OF_VISITS
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import NO_EPOCH, SeedScores


def compute(name: str, runs: EarlyRuns) -> SeedScores:
    """The score for every seed and scored epoch. Raises ValueError if no score has this name."""
    for family, of_runs in ((OF_OUTPUTS, _of_outputs), (OF_VISITS, _of_visits), (OF_DATA, _of_data)):
        if name in methods.names(family):
            return of_runs(methods.find(family, name), runs)
    raise ValueError(f"there is no score {name!r} of outputs, visits or data")


def _of_outputs(score: Callable[[np.ndarray, np.ndarray], np.ndarray], runs: EarlyRuns) -> SeedScores:
    values = [[score(runs.log_probabilities(s, e), runs.labels) for e in runs.epochs] for s in runs.seeds]
    return SeedScores(np.array(values, np.float32), runs.seeds, runs.epochs)


def _of_visits(score: Callable[[np.ndarray], np.ndarray], runs: EarlyRuns) -> SeedScores:
    """At every scored epoch but 0: no image was visited before it."""
    epochs = [epoch for epoch in runs.epochs if epoch > 0]
    values = [score(runs.correct(seed))[[epoch - 1 for epoch in epochs]] for seed in runs.seeds]
    return SeedScores(np.array(values, np.float32), runs.seeds, epochs)


def _of_data(score: Callable[[EarlyRuns], np.ndarray], runs: EarlyRuns) -> SeedScores:
    values = score(runs)
    return SeedScores(np.repeat(values[:, None], len(runs.seeds) // len(values), axis=0), runs.seeds, [NO_EPOCH])
