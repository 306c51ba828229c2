"""What is said of every level: matching or not, its barriers, connected or not; as a table and as metrics."""

from typing import Any

import numpy as np
import pandas as pd

from winnow.analysis.matching import epsilon, is_matching
from winnow.analysis.spread import band
from winnow.landscape.barrier import barrier
from winnow.params.dense import NAME as DENSE

ABOUT = ["level", "parent", "variant", "rewind", "data"]
VERDICTS = [
    *(*ABOUT, "density", "error", "low", "high", "replicates", "epsilon", "matching"),
    *("barrier_to_parent", "barrier_to_dense", "connected_to_parent", "above_parent", "in_parent_lcs"),
]


def barriers(lines: pd.DataFrame) -> pd.DataFrame:
    """The barrier on every line, of error and of loss.

    lines: a, b, seed, split, alpha, error, loss, and perhaps further columns that tell lines apart. Returns those
    without alpha, error and loss, and barrier (error, 0 to 1), place (its alpha; nan without a barrier), loss_barrier
    (nats).
    """
    keys = [column for column in lines.columns if column not in ("alpha", "error", "loss")]
    rows = []
    for values, points in lines.sort_values("alpha", kind="stable").groupby(keys, sort=False):
        height, place = barrier(points["alpha"].to_numpy(), points["error"].to_numpy())
        loss, _ = barrier(points["alpha"].to_numpy(), points["loss"].to_numpy())
        rows.append((*values, height, place, loss))
    return pd.DataFrame(rows, columns=[*keys, "barrier", "place", "loss_barrier"])


def ends(lines: pd.DataFrame) -> pd.DataFrame:
    """Error and loss at the far end of every line, alpha 1, beside what tells the line apart."""
    return lines[lines["alpha"] == 1].drop(columns="alpha")


def verdicts(tickets: pd.DataFrame, between: pd.DataFrame) -> pd.DataFrame:
    """One row per level: its mean test error, whether it matches the dense networks, whether its solutions are
    connected to its parent's (the mean barrier of the test error is at most the epsilon of matching), and whether they
    lie in the parent's linearly connected sublevel set: connected, and their mean error at most epsilon above the
    parent's (Paul et al. 2023, sec. 3). A barrier alone does not tell: a line that only rises has none.

    tickets: the results of all levels, with level, parent, variant, rewind and data beside the columns of
    ``train.keep_ticket``. between: ``barriers`` of every level with its parent and with dense (test part).
    """
    test = tickets[tickets["split"] == "test"]
    dense = test.loc[test["level"] == DENSE].sort_values("seed")["error"].to_numpy()
    bar = epsilon(dense) if len(dense) > 1 else np.nan
    error_of = test.set_index(["level", "seed"])["error"]
    mean_barrier = between[between["split"] == "test"].groupby(["a", "b"])["barrier"].mean()
    rows = []
    for level, group in test.sort_values("seed", kind="stable").groupby("level", sort=False):
        errors = group["error"].to_numpy()
        first = group.iloc[0]
        to_parent = mean_barrier.get((first["parent"], level), np.nan)
        from_parent = error_of.get(first["parent"], pd.Series(np.nan, group["seed"]))
        above = float(np.mean(errors - from_parent.reindex(group["seed"]).to_numpy(float)))
        connected = None if np.isnan(to_parent + bar) else bool(to_parent <= bar)
        low, high = band(errors)
        rows.append(
            {
                **{key: first[key] for key in ABOUT},
                "density": group["density"].mean(),
                "error": errors.mean(),
                "low": low,
                "high": high,
                "replicates": len(errors),
                "epsilon": bar,
                "matching": is_matching(errors, dense) if len(dense) > 1 else None,
                "barrier_to_parent": to_parent,
                "barrier_to_dense": mean_barrier.get((DENSE, level), np.nan),
                "connected_to_parent": connected,
                "above_parent": above,
                "in_parent_lcs": None if connected is None else connected and above <= bar,
            }
        )
    return pd.DataFrame(rows, columns=VERDICTS)


def as_metrics(tickets: pd.DataFrame, table: pd.DataFrame) -> dict[str, Any]:
    """What metrics/tickets.json holds of every level: fractions and errors from 0 to 1; null where there is no value.

    No key is ``error``: where a metric has that one, ``dvc metrics show`` says that it failed to load.
    """
    test = tickets[tickets["split"] == "test"]
    found: dict[str, dict[str, Any]] = {}
    for row in table.to_dict("records"):
        errors = test[test["level"] == row["level"]].sort_values("seed")
        found[row["level"]] = {
            **{key: row[key] for key in ABOUT[1:]},
            "density": row["density"],
            "errors": {str(seed): error for seed, error in zip(errors["seed"], errors["error"], strict=True)},
            "mean_error": row["error"],
            **{key: row[key] for key in VERDICTS[VERDICTS.index("matching") :]},
        }
    return {
        level: {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in facts.items()}
        for level, facts in found.items()
    }
