"""Made-up results of an experiment, whose verdicts are known."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from winnow.analysis.cuts import cut_limits, measured_cuts
from winnow.analysis.summary import successive_pairs
from winnow.analysis.verdicts import verdicts
from winnow.claims.results import Diet, Results, Tickets
from winnow.params.base import steps
from winnow.params.pruning import Level, Rewind
from winnow.scores.seed_scores import SeedScores
from winnow.selection.choices import choices

SPREAD = (-0.2, 0.0, 0.2)  # points, around a mean
# with three seeds of this spread on both sides, half of Welch's 95% interval: t(4 degrees) = 2.776, times sqrt(2/3) 0.2
WELCH = 2.776445 * (2 / 3) ** 0.5 * 0.2


def diet(accuracy: Mapping[tuple[str, float], float] = {}, **changes: Any) -> Diet:
    """accuracy: mean percent by method and fraction kept, ("full", 1.0) for all data; each has three seeds."""
    rows = [
        (method, keep, keep, round(1000 * keep), 100, seed, split, (mean + spread) / 100)
        for (method, keep), mean in accuracy.items()
        for seed, spread in enumerate(SPREAD)
        for split in ("test", "validation")
    ]
    columns = ["method", "keep", "fraction", "images", "steps", "seed", "split", "accuracy"]
    methods = list(dict.fromkeys(method for method, _ in accuracy if method != "full")) or ["random"]
    usual = {
        "accuracy": pd.DataFrame(rows, columns=columns),
        "methods": choices(changes.pop("methods", methods), 4),
        "epoch": 4,
        "scores": {},
        "changed": np.zeros(4, bool),
        "velocities": velocities({}),
        "suspects_epoch": 4,
        "full_length": "8 epochs",
        "transferred": False,
    }
    return Diet(**{**usual, **changes})


def velocities(of_groups: Mapping[tuple[int, int], Sequence[float]]) -> pd.DataFrame:
    """of_groups: by seed and the epoch at which a step begins, the velocity of each group, the easiest first."""
    rows = [
        (seed, epoch, epoch + 1, group, value)
        for (seed, epoch), values in of_groups.items()
        for group, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["seed", "epoch", "next_epoch", "group", "velocity"])


def seed_scores(values: np.ndarray, epochs: Sequence[int] = (4, 8)) -> SeedScores:
    """The same values, [seeds, n], at every epoch."""
    return SeedScores(np.repeat(values[:, None], len(epochs), axis=1), list(range(len(values))), list(epochs))


EPOCH = 10  # steps
DENSE_ERRORS = (2.0, 2.2, 2.4)  # percent; epsilon is t(2) = 4.303 times sqrt(2/3) 0.2
EPSILON = 4.302653 * (2 / 3) ** 0.5 * 0.2


def level(parent: str, prune: float | None = 0.5, **changes: Any) -> Level:
    return Level(**{"parent": parent, "rewind": "dense", "data": "full", "prune": prune, **changes})


def tickets(levels: Mapping[str, Level], above: Mapping[str, float], **changes: Any) -> Tickets:
    """above: by how many points the mean error of a level is above dense's. Further ones, by level: barrier (points, to
    the parent), cut and twice (rise of the error above dense's right after one cut and two)."""
    densities = {"dense": 1.0, "none": 1.0}
    for name, own in levels.items():
        densities[name] = densities[own.parent] * (1 - (own.prune or 0))
    del densities["none"]
    of_barriers, cut, twice = (changes.pop(key, {}) for key in ("barrier", "cut", "twice"))
    # every replicate is above its dense one by another amount, so that differences have a spread too
    jitter = {name: 0.02 * (1 + i) * np.array([-1, 1, 0]) for i, name in enumerate(["dense", *levels])}
    rows = []
    for name, density in densities.items():
        own = levels.get(name)
        about = (own.parent, own.kind, own.rewind, own.data) if own else ("", "dense", "dense", "full")
        for seed, error in enumerate(DENSE_ERRORS):
            moments = [
                (error + values.get(name, np.nan) + (jitter[name][seed] if own else 0)) / 100
                for values in ({"dense": 0.0, **above}, cut, twice)
            ]
            rows.append((name, *about, seed, "test", density, *moments))
    columns = ["level", "parent", "variant", "rewind", "data", "seed", "split", "density", "error"]
    results = pd.DataFrame(rows, columns=[*columns, "error_after_cut", "error_after_two_cuts"])
    heights = [
        (own.parent, name, seed, "test", max(0, of_barriers.get(name, 0.0) + jitter[name][seed]) / 100)
        for name, own in levels.items()
        for seed in range(3)
    ]
    barriers = pd.DataFrame(heights, columns=["a", "b", "seed", "split", "barrier"])
    rewinds = {"dense": Rewind(data="full", length="2 epochs"), **changes.pop("rewinds", {})}
    table = verdicts(results, barriers)
    measured = measured_cuts(table, levels)
    usual = {
        "results": results,
        "verdicts": table,
        "pairs": successive_pairs(table, barriers, levels),
        "barriers": barriers,
        "perturbed": pd.DataFrame(columns=["run", "rewind_steps", "multiple", "seed", "split", "barrier"]),
        "curvature": pd.DataFrame(columns=["level", "seed", "predicted_low", "predicted_high"]),
        "measured_cuts": measured,
        "cut_limits": cut_limits(measured),
        "children": children({}),
        "levels": levels,
        "rewinds": rewinds,
        "rewind_steps": {name: steps(point.length, EPOCH) for name, point in rewinds.items()},
    }
    return Tickets(**{**usual, **changes})


def children(
    barriers: Mapping[str, Mapping[int, Sequence[float]]], connected: Mapping[int, Sequence[float]] = {}
) -> pd.DataFrame:
    """barriers: points, of every seed, by subset and by the step at which children part. connected: percent of the
    images of the subset train, likewise."""
    rows = [
        (at, seed, subset, 1.0, value / 100)
        for subset, of_steps in barriers.items()
        for at, values in of_steps.items()
        for seed, value in enumerate(values)
    ]
    rows += [
        (at, seed, "train", value / 100, 0.0) for at, values in connected.items() for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["at", "seed", "subset", "connected", "barrier"])


def with_diet(half: Diet) -> Results:
    return Results(half, tickets({}, {}))


def with_tickets(half: Tickets, methods: Sequence[str] = ("random",)) -> Results:
    return Results(diet(methods=list(methods)), half)
