"""What methods gain over random subsets of the same size, over several settings, and which are the best where."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from winnow.analysis.comparison import CONFIDENCE
from winnow.analysis.ranks import Ranking, ranking

FEW = 0.2  # fractions kept up to which few images are left
BASELINE, ALL_DATA = "random", "full"
BLOCK = ["setting", "keep", "repeat", "seed"]  # one comparison of all methods


def gains(results: pd.DataFrame) -> pd.DataFrame:
    """Every method's mean accuracy in each setting at each keep, and its gain over random.

    results: one row per trained network, columns setting, repeat, method, keep, fraction, images, seed, accuracy and
    worst_class (fractions of 1) and wrong_kept (the fraction of the subset's labels that are wrong). The gain of a
    network is its accuracy minus that of the network of the same repeat and seed on random images. Returns setting,
    method, keep, fraction, images, networks, accuracy, gain, low, high (the 95% interval of Student's t over the gains
    of the networks; NaN with one), worst_class_gain, wrong_kept and verdict: "above" or "below" if the interval leaves
    out 0, else "not told apart". Random is there too, with gain 0; all data is not.
    """
    subsets = results[results["method"] != ALL_DATA]
    baseline = subsets[subsets["method"] == BASELINE].set_index(BLOCK)[["accuracy", "worst_class"]]
    paired = subsets.join(baseline.add_suffix("_random"), on=BLOCK)
    rows = []
    for (setting, method, keep), group in paired.groupby(["setting", "method", "keep"], sort=False):
        over = (group["accuracy"] - group["accuracy_random"]).to_numpy()
        low, high = interval(over)
        same = method == BASELINE or not (low > 0 or high < 0)
        rows.append(
            {
                "setting": setting,
                "method": method,
                "keep": keep,
                "fraction": group["fraction"].mean(),
                "images": int(group["images"].iloc[0]),
                "networks": len(group),
                "accuracy": group["accuracy"].mean(),
                "gain": over.mean(),
                "low": low,
                "high": high,
                "worst_class_gain": (group["worst_class"] - group["worst_class_random"]).mean(),
                "wrong_kept": group["wrong_kept"].mean(),
                "verdict": "not told apart" if same else "above" if low > 0 else "below",
            }
        )
    return pd.DataFrame(rows)


def interval(values: np.ndarray, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Student's interval of the mean of some values; NaN of one value."""
    if len(values) < 2:
        return float("nan"), float("nan")
    half = stdtrit(len(values) - 1, (1 + confidence) / 2) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def over_all(results: pd.DataFrame, blocks: list[str] | None = None) -> Ranking:
    """The ranks of the methods by accuracy. Every block is one comparison: by default a network of each method, in one
    setting, at one keep, of one repeat and seed; networks that share the other columns are averaged.

    results: as of ``gains``. Raises ValueError if there are fewer than two methods, or if one is missing in a block.
    """
    subsets = results[results["method"] != ALL_DATA]
    table = subsets.pivot_table(index=blocks or BLOCK, columns="method", values="accuracy", aggfunc="mean", sort=False)
    return ranking(table)


@dataclass(frozen=True)
class Regime:
    """What comes out in one setting where few or many images are kept.

    table: a row for each method, the best mean rank first: rank, gain (mean over the keeps, a fraction), above and
    below (at how many keeps it is told apart from random), wrong_kept; best: the methods that are not told apart from
    the first; keeps: as text.
    """

    setting: str
    few: bool
    keeps: list[str]
    table: pd.DataFrame
    best: list[str]


def regimes(results: pd.DataFrame, found: pd.DataFrame) -> list[Regime]:
    """The regimes of every setting: few images, up to a fifth, and many. found: of ``gains``."""
    parts = []
    for setting in found["setting"].unique():
        for few in (True, False):
            own = found[(found["setting"] == setting) & ((found["fraction"] <= FEW) == few)]
            if own.empty:
                continue
            keeps = list(own["keep"].unique())
            ranks = over_all(results[(results["setting"] == setting) & results["keep"].isin(keeps)])
            of_method = own.groupby("method")
            verdicts = {word: (own["verdict"] == word).groupby(own["method"]).sum() for word in ("above", "below")}
            table = pd.DataFrame({"rank": ranks.ranks, "gain": of_method["gain"].mean(), **verdicts,
                                  "wrong_kept": of_method["wrong_kept"].mean()}).loc[ranks.ranks.index]  # fmt: skip
            best = table.index[table["rank"] <= table["rank"].iloc[0] + ranks.critical]
            parts.append(Regime(str(setting), few, keeps, table, list(best)))
    return parts
