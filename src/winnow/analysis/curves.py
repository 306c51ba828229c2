"""Means and bands of what is drawn as curves: early runs by epoch, lines between networks, perturbed rewind points."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from winnow.analysis.spread import spread

SPLITS = ("train", "validation")


def training_curves(history: pd.DataFrame) -> pd.DataFrame:
    """Loss (nats) and accuracy (fraction) of the early runs: quantity, split, epoch, mean, low, high, count (over
    seeds) and rate_falls (the mean learning rate is below that of the epoch before).

    history: one row per seed and epoch, columns epoch, learning_rate and {split}_{quantity}; NaN where there is none.
    """
    rate = history.groupby("epoch")["learning_rate"].mean().dropna().sort_index()
    falls = rate.index[1:][np.diff(rate.to_numpy(float)) < 0]
    tables = [
        spread(history.sort_values("epoch"), ["epoch"], f"{split}_{quantity}").assign(quantity=quantity, split=split)
        for quantity in ("loss", "accuracy")
        for split in SPLITS
    ]
    found = pd.concat(tables, ignore_index=True)
    return found.assign(rate_falls=found["epoch"].isin(falls))


def along_lines(lines: pd.DataFrame) -> pd.DataFrame:
    """The error on lines between networks: a, b, split, alpha, mean, low, high, count (over replicates).

    lines: one row per point, columns a, b, seed, split, alpha and error.
    """
    return spread(lines.sort_values("alpha", kind="stable"), ["a", "b", "split", "alpha"], "error")


def subset_curves(children: pd.DataFrame) -> pd.DataFrame:
    """Between two children of one network, by the step at which they part: subset, at, mean, low, high, count (over
    replicates) and quantity: barrier (of the error), or connected, the fraction of the single images that are.

    children: one row per step, replicate and subset of the images, columns at, subset, barrier, connected (fractions).
    """
    keys = ["subset", "at"]
    return pd.concat(spread(children, keys, name).assign(quantity=name) for name in ("barrier", "connected"))


def perturbation_curves(
    perturbed: pd.DataFrame, lines: pd.DataFrame, verdicts: pd.DataFrame, children: Mapping[str, str]
) -> pd.DataFrame:
    """Barrier to the unperturbed solution and error after training (of the test split), over the length of the
    perturbation: run, level, rewind, rewind_steps, multiple, mean, low, high, count, quantity (barrier or error) and
    reference: the barrier between the level and the child that is cut from it, and the error of the level itself.

    perturbed: one row per network and split, with multiple (the length, as a multiple of the projection's on the mask
    of the level's child), barrier and error (fractions); lines: of the same runs, from the unperturbed solution at
    alpha 0; verdicts: of ``verdicts``; children: of the runs.
    """
    test, begin = (table[table["split"] == "test"] for table in (perturbed, lines[lines["alpha"] == 0]))
    barriers = verdicts.set_index("level")["barrier_to_parent"]
    references: dict[str, dict[Any, Any]] = {
        "barrier": {run: barriers.get(child) for run, child in children.items()},
        "error": {run: rows["error"].mean() for run, rows in begin.groupby("run")},
    }
    keys = ["run", "level", "rewind", "rewind_steps", "multiple"]
    tables = []
    for quantity, of_run in references.items():
        rows = spread(test, keys, quantity)
        tables.append(rows.assign(quantity=quantity, reference=rows["run"].map(of_run).astype(float)))
    return pd.concat(tables, ignore_index=True)
