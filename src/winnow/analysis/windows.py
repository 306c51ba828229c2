"""How subsets do that are windows of a ranking (Data Diet, sec. 3.3): accuracy by where the window starts."""

from collections.abc import Mapping

import pandas as pd

from winnow import methods
from winnow.analysis.spread import spread
from winnow.scores.families import WITHOUT_EPOCH
from winnow.scores.seed_scores import NO_EPOCH
from winnow.selection.choices import Choice

RANKING = ["score", "epoch", "per_class"]
COLUMNS = [*RANKING, "keep", "fraction", "method", "start", "left_out", "split"]
TOP = 0.005  # a window that leaves out less than this fraction at the top ends there, but for rounding


def windows(accuracy: pd.DataFrame, chosen_by: Mapping[str, Choice]) -> pd.DataFrame:
    """Every window of a ranking of which at least two as large were trained on, from the easiest to the hardest; for
    each split mean, low, high and count over seeds (of ``spread``).

    accuracy: one row per trained network, columns method, keep, fraction, images, split and accuracy. chosen_by: of
    ``selection.choices``, the methods by name. A method without a window is the one that ends at the top. The windows
    around the middle, both ends, and equal numbers of every class are not of this comparison.

    Returns score, epoch (-1 for a score without one), per_class (whether every class is ranked by itself), keep,
    fraction, method, start (the fraction of the ranking below the window), left_out (how many images are above it),
    split, mean, low, high, count, and best: whether it is the ``best_window``.
    """
    of_ranking = {name: of.options for name, of in chosen_by.items() if of.method == "ranked"}
    ranked = {
        name: of
        for name, of in of_ranking.items()
        if (of["seeds"], of["source"]) == (None, None) and not (of["equal"] or isinstance(of["window"], str))
    }
    without = [name for family in WITHOUT_EPOCH for name in methods.names(family)]
    about = pd.DataFrame(
        [
            (of["score"], NO_EPOCH if of["score"] in without else of["epoch"], of["per_class"], of["window"])
            for of in ranked.values()
        ],
        index=list(ranked),
        columns=[*RANKING, "window"],
    ).astype({"window": float})
    about = about[about["score"] != "random"]
    rows = accuracy[accuracy["method"].isin(about.index)]
    found = spread(rows, ["method", "keep", "fraction", "images", "split"], "accuracy").join(about, on="method")
    every = (found["images"] / found["fraction"]).round()
    found["start"] = found["window"].fillna(1 - found["fraction"])
    above = every - (found["start"] * every).round() - found["images"]
    found["left_out"] = above.where(found["window"].notna(), 0).astype(int)
    found["best"] = False
    parts = [found.iloc[:0]]
    for _, group in found.groupby([*RANKING, "keep"], sort=False):
        if group["method"].nunique() > 1:
            own = group.sort_values("start", kind="stable")
            parts.append(own.assign(best=own["method"] == best_window(own)))
    return pd.concat(parts, ignore_index=True)[[*COLUMNS, "mean", "low", "high", "count", "best"]]


def best_window(table: pd.DataFrame) -> str | None:
    """The method with the highest mean accuracy on the validation split, of equal ones the first; among these rows of
    ``windows``. None if the split has no image."""
    validation = table[table["split"] == "validation"]
    return None if validation.empty else str(validation["method"].iloc[int(validation["mean"].argmax())])


def inner(table: pd.DataFrame) -> pd.DataFrame:
    """Of the windows of one ranking that are equally large, those between the lowest and the one at the top."""
    return table[(table["start"] > table["start"].min()) & ~at_the_top(table)]


def at_the_top(table: pd.DataFrame) -> pd.Series:
    """Which windows end with the highest image."""
    return 1 - table["start"] - table["fraction"] < TOP
