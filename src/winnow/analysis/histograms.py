"""Histograms: of the scores of all images, and of the sizes of the weights around a cut."""

import numpy as np
import pandas as pd

from winnow.scores.columns import parse_column

BINS = 30


def score_histograms(scores: pd.DataFrame) -> pd.DataFrame:
    """How many images each score puts where: score, epoch (-1 for a score without one), images ("all"; where labels
    were changed, "changed" and "unchanged" in its place), low, high (edges of a bin) and count.

    All epochs of a score share their bins, so that they can be compared. The bin from +inf to +inf holds the images
    that were never learned (forgetting), where the score has any; the one from NaN to NaN those without a score.

    scores: one row per image, label, true_label and the columns of means (scores.columns).
    """
    changed = (scores["label"] != scores["true_label"]).to_numpy()
    groups = {"unchanged": ~changed, "changed": changed} if changed.any() else {"all": ~changed}
    columns = {name: parsed for name in map(str, scores) if (parsed := parse_column(name))}
    tables = []
    for score in dict.fromkeys(score for score, _ in columns.values()):
        values = {epoch: scores[name].to_numpy(float) for name, (own, epoch) in columns.items() if own == score}
        every = np.concatenate(list(values.values()))
        edges = bin_edges(every[np.isfinite(every)])
        beyond = [end for end in (np.inf, np.nan) if (_is(every, end)).any()]
        low, high = np.append(edges[:-1], beyond), np.append(edges[1:], beyond)
        for epoch, of_epoch in values.items():
            for images, chosen in groups.items():
                own = of_epoch[chosen]
                within, _ = np.histogram(own[np.isfinite(own)], edges)
                count = np.append(within, [_is(own, end).sum() for end in beyond]).astype(int)
                about = {"score": score, "epoch": epoch, "images": images}
                tables.append(pd.DataFrame({**about, "low": low, "high": high, "count": count}))
    return pd.concat(tables, ignore_index=True)


def _is(values: np.ndarray, end: float) -> np.ndarray:
    """Which values are +inf or NaN, whichever is asked for."""
    return np.isnan(values) if np.isnan(end) else values == end


def bin_edges(values: np.ndarray) -> np.ndarray:
    """Edges of a histogram's bins over finite values: one bin per value where these are few and even, else 30 bins.

    Counts averaged over a few seeds take few values; bins of any other width would fill in turns, like a comb.
    """
    if not len(values):
        return np.array([0.0, 1.0])
    distinct = np.unique(values.round(6))
    low, high = float(distinct[0]), float(distinct[-1])
    if high == low:
        return np.array([low - 0.5, low + 0.5])
    step = float(np.diff(distinct).min())
    bins = round((high - low) / step) + 1
    if bins <= 2 * BINS and np.allclose((distinct - low) / step, ((distinct - low) / step).round(), atol=1e-3):
        return low + step * (np.arange(bins + 1) - 0.5)
    return np.linspace(float(values.min()), float(values.max()), BINS + 1)


def weight_histograms(magnitudes: pd.DataFrame, levels: pd.Series, layer: str = "all") -> pd.DataFrame:
    """How large the weights of these levels are around their cut, in one layer or all: level, moment (before, after or
    retrained), low, high (edges of a bin of |w|), fraction (of the weights of the level and moment) and cut (the
    fraction of the weights before it that the level's cut took; NaN if not known).

    magnitudes: level, moment, layer, low, high and count (a mean over replicates).
    """
    rows = magnitudes[(magnitudes["layer"] == layer) & magnitudes["level"].isin(levels)]
    sums = rows.groupby(["level", "moment"], sort=False)["count"].sum()
    of_own = pd.MultiIndex.from_frame(rows[["level", "moment"]])
    before, after = (
        rows["level"].map(sums[sums.index.get_level_values("moment") == moment].droplevel("moment"))
        for moment in ("before", "after")
    )
    whole = sums.reindex(of_own).replace(0, np.nan).to_numpy(float)
    found = rows.assign(fraction=rows["count"] / whole, cut=1 - after.astype(float) / before.astype(float))
    return found[["level", "moment", "low", "high", "fraction", "cut"]]
