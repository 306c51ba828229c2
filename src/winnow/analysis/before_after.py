"""Whether the error right after a cut tells the error after retraining: "Is oracle pruning the true oracle?" (Feng et
al. 2024) finds that it hardly does in larger networks."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from winnow.analysis.gains import interval

LEAST = 4  # methods, for an order to say something
FAMILY = ["setting", "density", "retraining", "channels"]  # cuts of the same size, with the same training after them
REPLICATE = ["repeat", "seed"]


def before_and_after(results: pd.DataFrame) -> pd.DataFrame:
    """Every network of methods that cut a trained network at once and train it alike, in families of ``LEAST`` methods
    or more: setting, density, retraining, channels, method, repeat, seed, before (the error right after the cut) and
    after (that after retraining), fractions of the test images.

    results: of ``pruned.changes``, with retraining, channels and error_after_cut.
    """
    tickets = results[(results["check"] == "") & (results["retraining"] != "") & results["error_after_cut"].notna()]
    found = tickets.assign(before=tickets["error_after_cut"], after=1 - tickets["accuracy"])
    found = found[[*FAMILY, "method", *REPLICATE, "before", "after"]]
    several = found.groupby(FAMILY)["method"].transform("nunique") >= LEAST
    return found[several].reset_index(drop=True)


def correlations(networks: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau-b between the two errors, over the methods of each family: setting, density, retraining, channels,
    methods (how many), networks (replicates), tau (mean over the replicates), low, high (the 95% interval of Student's
    t, cut off at -1 and 1; NaN with one), and of_replicates: tau between the errors after retraining of two replicates,
    the mean over all pairs, which is about as high as tau can be.

    networks: of ``before_and_after``. Only methods that all replicates of a family have count. A replicate in which all
    methods have the same error has no tau.
    """
    rows = []
    for family, own in networks.groupby(FAMILY, sort=False):
        tables = {
            error: own.pivot_table(index=REPLICATE, columns="method", values=error).dropna(axis=1).to_numpy()
            for error in ("before", "after")
        }
        before, after = tables["before"], tables["after"]
        taus = _taus([(before[row], after[row]) for row in range(len(after))])
        low, high = np.clip(interval(taus), -1, 1)
        pairs = _taus([(after[one], after[other]) for one, other in combinations(range(len(after)), 2)])
        rows.append((*family, after.shape[1], len(after), _mean(taus), low, high, _mean(pairs)))
    columns = [*FAMILY, "methods", "networks", "tau", "low", "high", "of_replicates"]
    return pd.DataFrame(rows, columns=columns)


def _taus(pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    taus = np.array([kendalltau(*pair).statistic for pair in pairs], float)
    return taus[~np.isnan(taus)]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
