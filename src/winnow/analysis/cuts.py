"""What cuts cost, how large they could be by the curvature, and how large they could be when they were made."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from winnow.analysis.spread import spread
from winnow.analysis.summary import successive
from winnow.params.pruning import Level

PREDICTED = ("predicted_high", "predicted_low")  # negative eigenvalues taken as flat, and by their size


def errors_around_cuts(results: pd.DataFrame) -> pd.DataFrame:
    """The test error of every level right after the cut, after the same fraction was cut twice, and after retraining.

    results: one row per network, with level, parent, variant, rewind, data, seed, split, density (fraction of the
    weights), error, error_after_cut (of the parent's weights) and error_after_two_cuts. Returns level, variant, rewind,
    data, moment (the name of the error's column), density (mean; after two cuts what they leave) and mean, low, high,
    count.
    """
    test = results[results["split"] == "test"]
    of_level = test.set_index(["level", "seed"])["density"]
    before = of_level.reindex(pd.MultiIndex.from_frame(test[["parent", "seed"]])).to_numpy(float)
    twice = test["density"].to_numpy(float) ** 2 / before
    tables = []
    for moment in ("error_after_two_cuts", "error_after_cut", "error"):
        rows = test.assign(density=twice) if moment == "error_after_two_cuts" else test
        densities = rows.dropna(subset=[moment]).groupby("level")["density"].mean()
        found = spread(rows, ["level", "variant", "rewind", "data"], moment)
        tables.append(found.assign(moment=moment, density=found["level"].map(densities)))
    return pd.concat(tables, ignore_index=True)


def measured_cuts(table: pd.DataFrame, levels: Mapping[str, Level]) -> pd.DataFrame:
    """Every cut that was made between successive levels: level (that was cut), density (of its
    network), child, cut (fraction of those weights), barrier, connected, in_lcs (the child lies in the level's linearly
    connected sublevel set).

    table: of ``verdicts``.
    """
    densities = table.set_index("level")["density"]
    rows = []
    for row in table[successive(table, levels)].to_dict("records"):
        before = densities[row["parent"]]
        verdict = (row["barrier_to_parent"], row["connected_to_parent"], row["in_parent_lcs"])
        rows.append((row["parent"], before, row["level"], 1 - row["density"] / before, *verdict))
    return pd.DataFrame(rows, columns=["level", "density", "child", "cut", "barrier", "connected", "in_lcs"])


def predicted_cuts(curvature: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The largest cuts that the curvature predicts: level, density (fraction of all weights it has), prediction (of
    PREDICTED) and mean, low, high, count over replicates (fractions of the weights it has).

    curvature: level, seed, predicted_low, predicted_high; table: of ``verdicts``.
    """
    densities = table.set_index("level")["density"]
    found = [spread(curvature, ["level"], name).assign(prediction=name) for name in PREDICTED]
    return pd.concat(found, ignore_index=True).assign(density=lambda rows: rows["level"].map(densities))


def cut_limits(measured: pd.DataFrame) -> pd.DataFrame:
    """Of every level that was cut the largest cut after which the retrained network lies in the level's linearly
    connected sublevel set (largest_inside), and the smallest after which it does not (smallest_outside); NaN if there
    is none. Columns: level, density, largest_inside, smallest_outside.

    measured: of ``measured_cuts``.
    """
    rows = []
    for level, cuts in measured.groupby("level", sort=False):
        inside, outside = (cuts.loc[cuts["in_lcs"] == which, "cut"] for which in (True, False))
        rows.append((level, cuts["density"].iloc[0], inside.max(), outside.min()))
    return pd.DataFrame(rows, columns=["level", "density", "largest_inside", "smallest_outside"])


def largest_cuts(predicted: pd.DataFrame, limits: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """For every level whose curvature was measured, predicted_low, predicted_high (means over replicates),
    largest_inside and smallest_outside (None if there is none): fractions of the weights the level has.

    predicted: of ``predicted_cuts``; limits: of ``cut_limits``.
    """
    means = predicted.set_index(["level", "prediction"])["mean"]
    levels = list(dict.fromkeys(predicted["level"]))
    found = limits.set_index("level")[["largest_inside", "smallest_outside"]].astype(float).reindex(levels)
    return {
        level: {
            **{name: float(means[level, name]) for name in reversed(PREDICTED)},
            **{name: None if np.isnan(value) else value for name, value in found.loc[level].to_dict().items()},
        }
        for level in levels
    }


def mean_curvature(curvature: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Of every level the largest eigenvalue of the Hessian and its trace, means over the replicates.

    curvature: level, seed, largest, trace.
    """
    means = curvature.groupby("level", sort=False)[["largest", "trace"]].mean()
    return {
        str(level): {"largest_eigenvalue": float(row["largest"]), "trace": float(row["trace"])}
        for level, row in means.iterrows()
    }
