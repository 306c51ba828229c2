"""What came of the tickets, in tables: matching or not, barriers, connected or not, the largest cut per level."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from winnow.landscape.barrier import barrier
from winnow.params.dense import NAME as DENSE
from winnow.params.imp import CUTTING, REWOUND, Level, line
from winnow.tickets.matching import epsilon, is_matching

BAND = (16, 84)  # percentiles over replicates
ABOUT = ["level", "parent", "variant", "rewind", "data"]
VERDICTS = [
    *(*ABOUT, "left", "error", "low", "high", "replicates", "epsilon", "matching"),
    *("barrier_to_parent", "barrier_to_dense", "connected_to_parent"),
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


def verdicts(tickets: pd.DataFrame, between: pd.DataFrame) -> pd.DataFrame:
    """One row per level: its mean test error, whether it matches the dense networks, and whether its solutions are
    connected to its parent's: whether the mean barrier of the test error is at most the epsilon of matching.

    tickets: the results of all levels, with level, parent, variant, rewind and data beside the columns of
    ``train.train_level``. between: ``barriers`` of every level with its parent and with dense (test part).
    """
    test = tickets[tickets["split"] == "test"]
    dense = test.loc[test["level"] == DENSE].sort_values("seed")["error"].to_numpy()
    bar = epsilon(dense) if len(dense) > 1 else np.nan
    mean_barrier = between[between["split"] == "test"].groupby(["a", "b"])["barrier"].mean()
    rows = []
    for level, group in test.sort_values("seed", kind="stable").groupby("level", sort=False):
        errors = group["error"].to_numpy()
        first = group.iloc[0]
        to_parent = mean_barrier.get((first["parent"], level), np.nan)
        low, high = np.percentile(errors, BAND)
        rows.append(
            {
                **{key: first[key] for key in ABOUT},
                "left": group["left"].mean(),
                "error": errors.mean(),
                "low": low,
                "high": high,
                "replicates": len(errors),
                "epsilon": bar,
                "matching": is_matching(errors, dense) if len(dense) > 1 else None,
                "barrier_to_parent": to_parent,
                "barrier_to_dense": mean_barrier.get((DENSE, level), np.nan),
                "connected_to_parent": None if np.isnan(to_parent + bar) else bool(to_parent <= bar),
            }
        )
    return pd.DataFrame(rows, columns=VERDICTS)


def connected_and_matching(table: pd.DataFrame) -> dict[str, int]:
    """How many levels are connected to their parent or not, by whether they and their parent both match (Paul et al.
    2023: successive levels are connected if and only if both match). Levels that were not cut from their parent and
    rewound are left out, and those of which no matching can be told.

    table: of ``verdicts``.
    """
    matching = table.set_index("level")["matching"]
    counts = {
        f"{connected}, {both}": 0
        for connected in ("connected", "not connected")
        for both in ("both match", "not both match")
    }
    for row in table.to_dict("records"):
        if row["variant"] not in REWOUND or row["connected_to_parent"] is None or row["matching"] is None:
            continue
        both = "both match" if row["matching"] and matching[row["parent"]] else "not both match"
        counts[f"{'connected' if row['connected_to_parent'] else 'not connected'}, {both}"] += 1
    return counts


def measured_cuts(table: pd.DataFrame) -> pd.DataFrame:
    """Every cut that was made and retrained by weight rewinding: level (that was cut), left (share of all weights it
    had), child, cut (share of those), barrier, connected.

    table: of ``verdicts``.
    """
    left = table.set_index("level")["left"]
    rows = []
    for row in table.to_dict("records"):
        if row["variant"] in REWOUND:
            before = left[row["parent"]]
            cut = 1 - row["left"] / before
            rows.append(
                (row["parent"], before, row["level"], cut, row["barrier_to_parent"], row["connected_to_parent"])
            )
    return pd.DataFrame(rows, columns=["level", "left", "child", "cut", "barrier", "connected"])


def ends(lines: pd.DataFrame) -> pd.DataFrame:
    """Error and loss at the far end of every line, alpha 1, beside what tells the line apart."""
    return lines[lines["alpha"] == 1].drop(columns="alpha")


def largest_cuts(predicted: pd.DataFrame, measured: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """For every level whose curvature was measured the largest cut that it predicts (mean over replicates), and of the
    cuts that were made the largest after which the retrained network is connected to the level, and the smallest after
    which it is not; None if there is none. Shares of the weights the level has, 0 to 1.

    predicted: level, seed, predicted; measured: of ``measured_cuts``.
    """
    found: dict[str, dict[str, Any]] = {}
    for level, rows in predicted.groupby("level", sort=False):
        cuts = measured[measured["level"] == level]
        connected, apart = (cuts.loc[cuts["connected"] == which, "cut"] for which in (True, False))
        found[str(level)] = {
            "predicted": float(rows["predicted"].mean()),
            "largest_connected": float(connected.max()) if len(connected) else None,
            "smallest_not_connected": float(apart.min()) if len(apart) else None,
        }
    return found


def as_metrics(tickets: pd.DataFrame, table: pd.DataFrame) -> dict[str, Any]:
    """What metrics/tickets.json holds of every level: shares and errors from 0 to 1; null where there is no value.

    No key is ``error``: where a metric has that one, ``dvc metrics show`` says that it failed to load.
    """
    test = tickets[tickets["split"] == "test"]
    found: dict[str, dict[str, Any]] = {}
    for row in table.to_dict("records"):
        errors = test[test["level"] == row["level"]].sort_values("seed")
        found[row["level"]] = {
            "variant": row["variant"],
            "weights_left": row["left"],
            "errors": {str(seed): error for seed, error in zip(errors["seed"], errors["error"], strict=True)},
            "mean_error": row["error"],
            "matching": row["matching"],
            "barrier_to_parent": row["barrier_to_parent"],
            "connected_to_parent": row["connected_to_parent"],
            "barrier_to_dense": row["barrier_to_dense"],
        }
    return {
        level: {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in facts.items()}
        for level, facts in found.items()
    }


def cuts_needed(levels: Mapping[str, Level], table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """For every variant that cuts, its level with the fewest weights: how many cuts in a row led there (``cuts``), the
    share of weights it has left, its mean test error and whether it matches.

    table: of ``verdicts``.
    """
    found: dict[str, dict[str, Any]] = {}
    for variant in (*CUTTING, "adaptive"):
        rows = table[table["variant"] == variant]
        if len(rows):
            last = min(rows.to_dict("records"), key=lambda row: row["left"])
            cuts = sum(levels[name].variant != "dense" for name in line(levels, last["level"])[1:])
            found[variant] = {"level": last["level"], "cuts": cuts, "weights_left": last["left"]}
            found[variant] |= {"mean_error": last["error"], "matching": last["matching"]}
    return found


def in_words(table: pd.DataFrame) -> str:
    """The table of ``verdicts``, as it is or read back from its file, as lines of text, in percent and points."""

    def matching(row: dict[Hashable, Any]) -> str:
        if pd.isna(row["matching"]):
            return "too few replicates to tell matching"
        return "matching" if row["matching"] else "not matching"

    def barrier_to_parent(row: dict[Hashable, Any]) -> str:
        if pd.isna(row["barrier_to_parent"]):  # dense has no parent
            return ""
        return f", barrier to {row['parent']} {100 * row['barrier_to_parent']:.2f} points"

    return "\n".join(
        f"{row['level']} ({row['variant']}): {100 * row['left']:.1f}% of the weights, "
        f"error {100 * row['error']:.2f}% [{100 * row['low']:.2f}, {100 * row['high']:.2f}], "
        f"{matching(row)}{barrier_to_parent(row)}"
        for row in table.to_dict("records")
    )
