"""Compute a score that needs no pass through a network, for one cohort, by the score's name."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from winnow import methods
from winnow.scores.families import (
    OF_DATA,
    OF_LOSSES,
    OF_MARGINS,
    OF_OUTPUTS,
    OF_PARTS,
    OF_PROBABILITIES,
    OF_VISITS,
)
from winnow.scores.held_out import contributions
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import NO_EPOCH, SeedScores


def compute(name: str, runs: EarlyRuns) -> SeedScores:
    """The score for every seed and scored epoch, of the images that the seed trained on. Raises ValueError if no score
    has this name, or if it is of networks trained on parts of the images and some image has none."""
    by_family: dict[str, Callable[..., SeedScores]] = {
        OF_OUTPUTS: _of_outputs,
        OF_VISITS: partial(_of_epochs, EarlyRuns.correct),
        OF_MARGINS: partial(_of_epochs, EarlyRuns.margins),
        OF_LOSSES: partial(_of_epochs, EarlyRuns.losses),
        OF_PROBABILITIES: _of_probabilities,
        OF_PARTS: _of_parts,
        OF_DATA: _of_data,
    }
    for family, of_runs in by_family.items():
        if name in methods.names(family):
            return of_runs(methods.find(family, name), runs)
    raise ValueError(f"there is no score {name!r} of outputs, visits or data")


def _of_outputs(score: Callable[[np.ndarray, np.ndarray], np.ndarray], runs: EarlyRuns) -> SeedScores:
    values = np.full((len(runs.seeds), len(runs.epochs), len(runs.labels)), np.nan, np.float32)
    for of_seed, seed in zip(values, runs.seeds, strict=True):
        seen = runs.seen(seed)
        for of_epoch, epoch in zip(of_seed, runs.epochs, strict=True):
            of_epoch[seen] = score(runs.log_probabilities(seed, epoch)[seen], runs.labels[seen])
    return SeedScores(values, runs.seeds, runs.epochs)


def _of_epochs(
    record: Callable[[EarlyRuns, int], Any], score: Callable[[Any], np.ndarray], runs: EarlyRuns
) -> SeedScores:
    """From a record of all visits, at every scored epoch but 0: no image was visited before it."""
    epochs = [epoch for epoch in runs.epochs if epoch > 0]
    values = np.array([score(record(runs, seed))[[epoch - 1 for epoch in epochs]] for seed in runs.seeds], np.float32)
    return SeedScores(runs.only_seen(values), runs.seeds, epochs)


def _of_probabilities(score: Callable[[np.ndarray, np.ndarray], np.ndarray], runs: EarlyRuns) -> SeedScores:
    return _of_epochs(EarlyRuns.probabilities, lambda both: score(*both), runs)


def _of_parts(how_well: Callable[[np.ndarray, np.ndarray], np.ndarray], runs: EarlyRuns) -> SeedScores:
    """What each seed contributes to a score of all seeds; no seed does in a cohort that trains on all images."""
    seen = np.stack([runs.seen(seed) for seed in runs.seeds])
    if seen.all():
        return SeedScores(np.empty((0, len(runs.epochs), len(runs.labels)), np.float32), [], runs.epochs)
    values = np.empty((len(runs.seeds), len(runs.epochs), len(runs.labels)), np.float32)
    for i, epoch in enumerate(runs.epochs):
        found = [how_well(runs.log_probabilities(seed, epoch), runs.labels) for seed in runs.seeds]
        values[:, i] = contributions(np.stack(found), seen)
    return SeedScores(values, runs.seeds, runs.epochs)


def _of_data(score: Callable[[EarlyRuns], np.ndarray], runs: EarlyRuns) -> SeedScores:
    values = score(runs)
    return SeedScores(np.repeat(values[:, None], len(runs.seeds) // len(values), axis=0), runs.seeds, [NO_EPOCH])
