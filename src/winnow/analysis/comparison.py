"""How the subsets did: accuracies over seeds, and every method against a random subset of the same size."""

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from winnow.analysis.spread import spread
from winnow.selection.recipes import by_recipe, parts

CONFIDENCE = 0.95
DYNAMIC = "dynamic"  # in place of how much a method keeps, where training chooses as it goes


def accuracy_bands(accuracy: pd.DataFrame) -> pd.DataFrame:
    """Mean and band over seeds of every subset's accuracy, by split.

    accuracy: one row per trained network, columns method, keep, fraction, images, steps, visits, seed, split and
    accuracy. A training that chooses as it goes has DYNAMIC for keep, and its fraction is that of the visits of all
    data. Returns all but seed and accuracy, and mean, low, high and count (fractions; of ``spread``). Where seeds
    differ in steps and visits, these are means, rounded.
    """
    groups = accuracy.groupby(["method", "keep"], sort=False)
    means = {name: groups[name].transform("mean").round().astype(int) for name in ("steps", "visits")}
    by = ["method", "keep", "fraction", "images", "steps", "visits", "split"]
    return spread(accuracy.assign(**means), by, "accuracy")


def summary(bands: pd.DataFrame, split: str) -> dict[str, dict[str, float]]:
    """Of the table of ``accuracy_bands``, for each "method-keep": the mean accuracy, its 16th and 84th percentile over
    seeds (low, high), the number of images, of steps, of visits and of seeds."""
    return {
        f"{row['method']}-{row['keep']}" if row["method"] != "full" else "full": {
            "accuracy": row["mean"],
            **{key: row[key] for key in ("low", "high", "images", "steps", "visits")},
            "seeds": row["count"],
        }
        for row in bands[bands["split"] == split].to_dict("records")
    }


def differences(accuracy: pd.DataFrame, split: str, baselines: Iterable[str] = ("random", "full")) -> pd.DataFrame:
    """Every method's mean accuracy minus each baseline's (random at the same keep, if there is one; all data), with
    Welch's 95% interval over the seeds of both.

    Where a recipe trained the subset (el2n+kd), random is that by the same recipe, as a teacher that has seen all data
    helps any subset. Such a method has a third baseline, plain: the same subset without the recipe.

    Returns method, keep, fraction, baseline, difference, low, high (fractions of 1; the interval is nan with one seed)
    and verdict: "above" or "below" if the interval leaves out 0, else "not told apart".
    """
    accuracy = accuracy[accuracy["split"] == split]
    rows = []
    for (method, keep), group in accuracy[accuracy["method"] != "full"].groupby(["method", "keep"], sort=False):
        own, recipe = parts(str(method))
        for baseline in [*baselines, *(["plain"] if recipe else [])]:
            if own == baseline:
                continue
            against = {"random": by_recipe("random", recipe), "plain": own}.get(baseline, baseline)
            other = accuracy[accuracy["method"] == against]
            if baseline != "full":
                other = other[other["keep"] == keep]
            if other.empty:  # training that chooses as it goes has no random subset of the same size
                continue
            difference = group["accuracy"].mean() - other["accuracy"].mean()
            low, high = welch_interval(group["accuracy"].to_numpy(), other["accuracy"].to_numpy())
            verdict = "above" if low > 0 else "below" if high < 0 else "not told apart"
            rows.append((method, keep, group["fraction"].iloc[0], baseline, difference, low, high, verdict))
    columns = ["method", "keep", "fraction", "baseline", "difference", "low", "high", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def welch_interval(a: np.ndarray, b: np.ndarray, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Confidence interval of mean(a) - mean(b), their variances not taken for equal (Welch 1947); nan where a side has
    one value only."""
    if min(len(a), len(b)) < 2:
        return float("nan"), float("nan")
    difference = a.mean() - b.mean()
    if np.ptp(a) == np.ptp(b) == 0:  # no spread at all: the interval is the difference
        return float(difference), float(difference)
    # by hand, as scipy's test warns where one side has no spread
    errors = np.array([a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)])  # squared standard errors of the two means
    freedom = errors.sum() ** 2 / (errors[0] ** 2 / (len(a) - 1) + errors[1] ** 2 / (len(b) - 1))
    half = stdtrit(freedom, (1 + confidence) / 2) * np.sqrt(errors.sum())
    return float(difference - half), float(difference + half)


def over_fractions(table: pd.DataFrame, bands: pd.DataFrame, selected: Collection[str]) -> pd.DataFrame:
    """The rows of methods that make lines over the fraction kept: all data, the selected ones, and those that ``bands``
    has at several fractions, by whatever recipe; and of those that choose as they go. Others belong beside what they
    are compared with."""
    several = bands.groupby("method")["fraction"].nunique() > 1
    wanted = [*selected, "full", *several.index[several]]
    return table[table["method"].map(lambda name: parts(name)[0]).isin(wanted) | table["keep"].eq(DYNAMIC)]


def differences_summary(table: pd.DataFrame) -> dict[str, dict[str, float | str | None]]:
    """Of the table of ``differences``: for each "method-keep minus baseline" the difference, its interval (None where
    there is none) and the verdict."""
    return {
        f"{row['method']}-{row['keep']} minus {row['baseline']}": {
            "difference": row["difference"],
            "low": None if np.isnan(row["low"]) else row["low"],
            "high": None if np.isnan(row["high"]) else row["high"],
            "verdict": row["verdict"],
        }
        for row in table.to_dict("records")
    }


def in_words(table: pd.DataFrame) -> str:
    """The table of ``differences`` as lines of text, in percentage points."""
    return "\n".join(
        f"{row['method']} keep {row['keep']}: {100 * row['difference']:+.2f} points against {row['baseline']} "
        f"[{100 * row['low']:+.2f}, {100 * row['high']:+.2f}], {row['verdict']}"
        for row in table.to_dict("records")
    )
