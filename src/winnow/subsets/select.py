"""From a method's name and the table of scores to the rows that are kept."""

import numpy as np
import pandas as pd

from winnow.errors import UserError
from winnow.scores.columns import column
from winnow.streams import numpy_stream
from winnow.subsets.keep import kept, kept_per_class
from winnow.subsets.method import Method
from winnow.subsets.policies import top, window


def select(
    scores: pd.DataFrame, class_names: list[str], method: Method, keep: float | int, epoch: int, seed: int
) -> np.ndarray:
    """Rows of the images that a method keeps, int64, rising.

    scores: the table of scores.aggregate, in the order of the training images; ``epoch`` is that of the scores where
    the method names none; ``seed`` is that of random subsets, which are nested: a smaller one lies within a larger one.
    Raises UserError if a class would keep no image.
    """
    labels = scores["label"].to_numpy()
    values = ranking(scores, method, epoch, seed)
    if method.per_class:
        counts = kept_per_class(keep, labels, len(class_names))
        groups = [(np.flatnonzero(labels == label), count) for label, count in enumerate(counts)]
    else:
        groups = [(np.arange(len(labels)), kept(keep, len(labels)))]
    chosen = [rows[pick(values[rows], count, method)] for rows, count in groups]
    rows = np.sort(np.concatenate(chosen))
    empty = np.flatnonzero(np.bincount(labels[rows], minlength=len(class_names)) == 0)
    if len(empty):
        raise UserError(
            f"select.keep: {keep} with this method leaves no image of class {class_names[empty[0]]!r}; "
            "keep more, or add -perclass to the method in select.methods"
        )
    return rows


def number(keep: str) -> float | int:
    """A keep as the command line has it: "0.5" is a share, "500" a count."""
    return int(keep) if keep.isdigit() else float(keep)


def ranking(scores: pd.DataFrame, method: Method, epoch: int, seed: int) -> np.ndarray:
    """The value by which the images are ranked, [n]."""
    if method.score == "random":
        return numpy_stream(seed, "subset").random(len(scores))
    name = column(method.score, method.epoch if method.epoch is not None else epoch)
    if name not in scores:
        raise UserError(f"select: the scores have no column {name}; compute the score at that epoch (early.epochs)")
    return scores[name].to_numpy()


def pick(scores: np.ndarray, count: int, method: Method) -> np.ndarray:
    """Rows of the kept ones among these scores, by the method's policy."""
    return top(scores, count) if method.window is None else window(scores, count, method.window)
