"""Compute a score that needs no pass through a network, for one cohort, by the score's name."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from winnow import methods
from winnow.scores.families import (
    OF_DATA,
    OF_FEATURES,
    OF_LOSSES,
    OF_MARGINS,
    OF_OUTPUTS,
    OF_PARTS,
    OF_PROBABILITIES,
    OF_SEEDS,
    OF_TRAJECTORIES,
    OF_VISITS,
)
from winnow.scores.held_out import contributions
from winnow.scores.last_layer import LastLayer
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import NO_EPOCH, SeedScores
from winnow.scores.when import FEWEST

CHUNK = 2**22  # outputs that are in memory at a time, of all epochs or seeds together


def compare_seeds(name: str, cohorts: Sequence[EarlyRuns]) -> list[SeedScores]:
    """A score that compares networks, those of all cohorts with each other: each cohort's part. An image that only one
    network trained on has none. Raises ValueError if no such score has this name."""
    score, epochs = methods.find(OF_SEEDS, name), cohorts[0].epochs
    networks = [(runs, seed) for runs in cohorts for seed in runs.seeds]
    values = np.empty((len(networks), len(epochs), len(cohorts[0].labels)), np.float32)
    for place, epoch in enumerate(epochs):
        outputs = [runs.log_probabilities(seed, epoch) for runs, seed in networks]
        seen = [runs.seen(seed) for runs, seed in networks]
        for rows in _parts(np.arange(len(cohorts[0].labels)), outputs):
            there = zip(seen, outputs, strict=True)
            own = [np.where(of_seed[rows, None], of_all[rows], np.nan) for of_seed, of_all in there]
            values[:, place, rows] = score(np.stack(own))
    ends = np.cumsum([len(runs.seeds) for runs in cohorts])
    parts = np.split(values, ends[:-1])
    return [SeedScores(part, runs.seeds, epochs) for part, runs in zip(parts, cohorts, strict=True)]


def compute(name: str, runs: EarlyRuns, features: Sequence[int] = ()) -> SeedScores:
    """The score for every seed and scored epoch, of the images that the seed trained on.

    features: the epochs after which the inputs of the last layer were kept (early.features). Raises ValueError if no
    score of one seed has this name, or if it cannot be computed from these networks, such as one of networks that
    trained on parts of the images, if some image is in all parts or in none.
    """
    by_family: dict[str, Callable[..., SeedScores]] = {
        OF_OUTPUTS: _of_outputs,
        OF_TRAJECTORIES: _of_trajectories,
        OF_FEATURES: partial(_of_features, features=features),
        OF_VISITS: partial(_of_epochs, EarlyRuns.correct),
        OF_MARGINS: partial(_of_epochs, EarlyRuns.margins),
        OF_LOSSES: partial(_of_epochs, EarlyRuns.losses),
        OF_PROBABILITIES: partial(_of_epochs, EarlyRuns.probabilities),
        OF_PARTS: _of_parts,
        OF_DATA: _of_data,
    }
    for family, of_runs in by_family.items():
        if name in methods.names(family):
            return of_runs(methods.find(family, name), runs)
    raise ValueError(f"there is no score {name!r} of outputs, features, visits or data")


def _of_outputs(score: Callable[[np.ndarray, np.ndarray], np.ndarray], runs: EarlyRuns) -> SeedScores:
    together = methods.has_mark(score, "NEEDS_ALL")
    values = np.full((len(runs.seeds), len(runs.epochs), len(runs.labels)), np.nan, np.float32)
    for of_seed, seed in zip(values, runs.seeds, strict=True):
        seen = np.flatnonzero(runs.seen(seed))
        for of_epoch, epoch in zip(of_seed, runs.epochs, strict=True):
            outputs = runs.log_probabilities(seed, epoch)
            for rows in [seen] if together else _parts(seen, [outputs]):
                of_epoch[rows] = score(outputs[rows], runs.labels[rows])
    return SeedScores(values, runs.seeds, runs.epochs)


def _of_trajectories(score: Callable[[np.ndarray], np.ndarray], runs: EarlyRuns) -> SeedScores:
    trained = [epoch for epoch in runs.epochs if epoch > 0]
    values = np.full((len(runs.seeds), len(trained), len(runs.labels)), np.nan, np.float32)
    for of_seed, seed in zip(values, runs.seeds, strict=True):
        outputs = [runs.log_probabilities(seed, epoch) for epoch in trained]
        for rows in _parts(np.flatnonzero(runs.seen(seed)), outputs):
            of_seed[:, rows] = score(np.stack([each[rows] for each in outputs]))
    return SeedScores(values[:, FEWEST - 1 :], runs.seeds, trained[FEWEST - 1 :])


def _parts(rows: np.ndarray, outputs: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Some of the rows at a time, for the outputs [n, classes] of several epochs or seeds."""
    count = max(1, CHUNK // sum(of_one.shape[1] for of_one in outputs))
    return (rows[first : first + count] for first in range(0, len(rows), count))


def _of_features(score: Callable[[LastLayer], np.ndarray], runs: EarlyRuns, features: Sequence[int]) -> SeedScores:
    """Of a network whose training diverged, NaN."""
    epochs = sorted({*runs.epochs} & {*features})
    values = np.full((len(runs.seeds), len(epochs), len(runs.labels)), np.nan, np.float32)
    for of_seed, seed in zip(values, runs.seeds, strict=True):
        seen = runs.seen(seed)
        for of_epoch, epoch in zip(of_seed, epochs, strict=True):
            layer = runs.last_layer(seed, epoch)[seen]
            if np.isfinite(layer.inputs).all() and np.isfinite(layer.log_probabilities).all():
                with threadpool_limits(1):  # several threads add up in another order
                    of_epoch[seen] = score(layer)
    return SeedScores(values, runs.seeds, epochs)


def _of_epochs(
    record: Callable[[EarlyRuns, int], np.ndarray | tuple[np.ndarray, ...]],
    score: Callable[..., np.ndarray],
    runs: EarlyRuns,
) -> SeedScores:
    """From one or several records of all visits, at every scored epoch but 0: no image was visited before it."""
    epochs = [epoch for epoch in runs.epochs if epoch > 0]
    records = (record(runs, seed) for seed in runs.seeds)
    scores = (score(*own) if isinstance(own, tuple) else score(own) for own in records)
    values = np.array([of_seed[[epoch - 1 for epoch in epochs]] for of_seed in scores], np.float32)
    return SeedScores(runs.only_seen(values), runs.seeds, epochs)


def _of_parts(how_well: Callable[[np.ndarray, np.ndarray], np.ndarray], runs: EarlyRuns) -> SeedScores:
    """What each seed contributes to a score of all seeds; no seed does in a cohort that trains on all images."""
    seen = np.stack([runs.seen(seed) for seed in runs.seeds])
    if seen.all():
        return SeedScores(np.empty((0, len(runs.epochs), len(runs.labels)), np.float32), [], runs.epochs)
    values = np.empty((len(runs.seeds), len(runs.epochs), len(runs.labels)), np.float32)
    for i, epoch in enumerate(runs.epochs):
        found = np.empty(seen.shape)
        for of_seed, seed in zip(found, runs.seeds, strict=True):
            outputs = runs.log_probabilities(seed, epoch)
            for rows in _parts(np.arange(len(runs.labels)), [outputs]):
                of_seed[rows] = how_well(outputs[rows], runs.labels[rows])
        values[:, i] = contributions(found, seen)
    return SeedScores(values, runs.seeds, runs.epochs)


def _of_data(score: Callable[[EarlyRuns], np.ndarray], runs: EarlyRuns) -> SeedScores:
    values = score(runs)
    return SeedScores(np.repeat(values[:, None], len(runs.seeds) // len(values), axis=0), runs.seeds, [NO_EPOCH])
