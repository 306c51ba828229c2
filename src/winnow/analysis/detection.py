"""How well each score finds the labels that are wrong, where it is known which are."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from winnow.analysis.spread import band
from winnow.scores.aggregate import mean_over_seeds
from winnow.scores.seed_scores import NO_EPOCH, SeedScores

LISTS = (100, 1000, 4500)  # lengths of the list of suspects; 4,500 is a tenth of what CIFAR-10 trains on
MEASURES = ("auroc", "average_precision", *(f"precision_{length}" for length in LISTS), "precision_wrong")
SPREAD = ("auroc", "average_precision")  # which have a band over the seeds
CHANCE = "chance"
RECALLS = np.arange(1, 21) / 20

BySample = Mapping[
    str, Mapping[str, SeedScores]
]  # the scores by networks that trained on the image ("in") or not ("out")


def detection_table(wrong: np.ndarray, scores: BySample) -> pd.DataFrame:
    """How well every score finds the wrong labels: a row for each detector, sample, epoch and number of seeds, and one
    for chance. Empty if no label is wrong.

    detector, sample (in: of networks that have trained on the image; out: that have not), epoch (-1 for a score without
    one), seeds, and

    - auroc: the probability that a wrong label scores above a right one, 0.5 by chance;
    - average_precision: the mean over the wrong labels of the precision of the list that ends with it;
    - precision_100, precision_1000, precision_4500: the fraction of wrong labels among so many highest; NaN if there
      are fewer images;
    - precision_wrong: likewise among as many as there are wrong labels, so that it is the recall, too.

    For one seed these are means over the seeds, each alone, and auroc_low, auroc_high and so on a band over them. For
    all seeds they are of the mean score, without a band: the images are all there are, so chance is in the training
    alone. A seed that has not trained on an image says nothing of it. Images of equal scores share their places.

    wrong: bool [n]. scores: by sample and detector.
    """
    rows = []
    if wrong.any():
        fraction = wrong.mean()
        lists = {name: fraction if length <= len(wrong) else np.nan for name, length in _lengths(wrong).items()}
        chance = {"auroc": 0.5, "average_precision": fraction, **lists}
        rows.append({"detector": CHANCE, "sample": "", "epoch": NO_EPOCH, "seeds": 0, **chance})
    for about, values in _every(scores) if wrong.any() else ():
        if len(values) > 1:
            alone = pd.DataFrame([measures(wrong, of_seed) for of_seed in values])
            bands = {name: dict(zip(("low", "high"), band(alone[name]), strict=True)) for name in SPREAD}
            ends = {f"{name}_{end}": value for name, ends in bands.items() for end, value in ends.items()}
            rows.append({**about, "seeds": 1, **alone.mean(), **ends})
        rows.append({**about, "seeds": len(values), **measures(wrong, mean_of(values))})
    columns = {"detector": str, "sample": str, "epoch": int, "seeds": int} | dict.fromkeys(_columns(), float)
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def detection_curves(wrong: np.ndarray, scores: BySample, epoch: int) -> pd.DataFrame:
    """Precision over recall of the mean scores at an epoch, and of those without one: detector, sample, recall (0.05 to
    1) and precision, that of the shortest list with so much recall. Empty if no label is wrong."""
    tables = [pd.DataFrame({"detector": [""], "sample": "", "recall": 1.0, "precision": 1.0}).iloc[:0]]
    for about, values in _every(scores) if wrong.any() else ():
        if about.pop("epoch") in (epoch, NO_EPOCH):
            right, found = lists_of(*_known(wrong, mean_of(values)))
            places = np.searchsorted(found / found[-1], RECALLS - 1e-12)
            tables.append(pd.DataFrame({**about, "recall": RECALLS, "precision": (found / (found + right))[places]}))
    return pd.concat(tables, ignore_index=True)


def auroc_at(table: pd.DataFrame, epoch: int) -> dict[str, float]:
    """Of ``detection_table``: the auroc of each score of networks that trained on the images, of all seeds, at an
    epoch."""
    rows = table[(table["sample"] == "in") & (table["epoch"] == epoch)].groupby("detector", sort=False).last()
    return {str(score): float(value) for score, value in rows["auroc"].items()}


def measures(wrong: np.ndarray, values: np.ndarray) -> dict[str, float]:
    """MEASURES of one score, float [n], over the images that have it; all NaN unless some of these are wrong, and some
    right."""
    truth, known = _known(wrong, values)
    if not truth.any() or truth.all():
        return dict.fromkeys(MEASURES, float("nan"))
    right, found = lists_of(truth, known)
    return {
        "auroc": area_under_roc(right, found),
        "average_precision": average_precision(right, found),
        **{name: precision_among(truth, known, length) for name, length in _lengths(truth).items()},
    }


def lists_of(wrong: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many right and how many wrong labels each list of the highest values has, from the shortest to all: float64
    [lists] each. Equal values are in one list or in none. wrong: bool [n]; values: float [n].

    scikit-learn's functions sort the images once for each measure, and check them several times, which takes most of
    the time for a million; these give what they give.
    """
    order = np.argsort(values)[::-1]  # any order of equal ones
    falling = values[order]
    ends = np.append(np.flatnonzero(falling[1:] != falling[:-1]), len(values) - 1)
    found = np.cumsum(wrong[order], dtype=np.float64)[ends]
    return 1 + ends - found, found


def area_under_roc(right: np.ndarray, found: np.ndarray) -> float:
    """By trapezoids, of ``lists_of``; both kinds of labels are there."""
    corner = np.ones(len(found), bool)  # on a straight line no point between adds an area
    corner[1:-1] = (np.diff(right, 2) != 0) | (np.diff(found, 2) != 0)
    x, y = (np.append(0, of_list[corner]) / of_list[-1] for of_list in (right, found))
    return float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum())


def average_precision(right: np.ndarray, found: np.ndarray) -> float:
    """The mean over the wrong labels of the precision of their lists, of ``lists_of``."""
    recall, precision = np.append(0, found / found[-1]), found / (found + right)
    return float((np.diff(recall)[::-1] * precision[::-1]).sum())


def precision_among(wrong: np.ndarray, values: np.ndarray, length: int) -> float:
    """The fraction of wrong labels among the ``length`` highest values, of those at its end that are equal the expected
    number; NaN if there are fewer. wrong: bool [n]; values: float [n]."""
    if length > len(values):
        return float("nan")
    last = np.partition(values, -length)[-length]
    above, equal = values > last, values == last
    return float((wrong[above].sum() + (length - above.sum()) * wrong[equal].mean()) / length)


def mean_of(values: np.ndarray) -> np.ndarray:
    """The mean score over the seeds, float32 [n], as the table of all images has it. values: [seeds, n]."""
    return mean_over_seeds(values).astype(np.float32)


def _every(scores: BySample) -> Iterator[tuple[dict[str, object], np.ndarray]]:
    """What each group of rows is about, and the values [seeds, n]."""
    for sample, of_sample in scores.items():
        for detector, score in of_sample.items():
            for i, epoch in enumerate(score.epochs):
                yield {"detector": detector, "sample": sample, "epoch": epoch}, score.values[:, i]


def _known(wrong: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether the label is wrong, and the score, of the images that have one."""
    known = ~np.isnan(values)
    return wrong[known], values[known]


def _lengths(wrong: np.ndarray) -> dict[str, int]:
    return {**{f"precision_{length}": length for length in LISTS}, "precision_wrong": int(wrong.sum())}


def _columns() -> Iterator[str]:
    for name in MEASURES:
        yield from (name, f"{name}_low", f"{name}_high") if name in SPREAD else (name,)
