"""Select which of your own examples to keep."""

from collections.abc import Mapping
from inspect import Parameter
from typing import Any

import numpy as np

from winnow.counts import kept
from winnow.params.options import checked_options
from winnow.params.options import options as options_of
from winnow.selection.choose import choose
from winnow.selection.choose import method as find_method
from winnow.selection.evidence import Chosen, Given, HeldOut


def select(
    labels: np.ndarray,
    keep: float | int,
    method: str = "ranked",
    *,
    scores: np.ndarray | Mapping[str, np.ndarray] | None = None,
    features: np.ndarray | None = None,
    outputs: np.ndarray | None = None,
    target_features: np.ndarray | None = None,
    target_outputs: np.ndarray | None = None,
    validation: tuple[np.ndarray, ...] | None = None,
    seed: int = 0,
    **options: Any,
) -> Chosen:
    """The examples that a selection method keeps.

    Returns ``rows``, rising int64 [m], for torch.utils.data.Subset, and ``weights``, float32 [m] of mean 1: how much
    each example counts in the loss, or None if all count the same.

    labels: whole numbers from 0, [n], of all n examples. keep: a fraction, or a count. method: ranked (the highest
    score), ccs, k_center, …: a file in ``winnow/selection/methods/``, which says its options. scores: [n], for the
    method to choose by, higher is harder; or several by name, and the option ``score`` names one. ``score="random"``
    ranks at random. features: float [n, d], for methods that need them. outputs: float [n, classes], the log softmax of
    the network whose features they are, for methods that choose by its gradients. target_features, target_outputs:
    float [t, d] and [t, classes], likewise of the t images of another data set, for methods that choose for it.
    validation: for methods that need images held out from training, their labels, outputs and, if asked for, features.
    seed: of random draws.

    Raises ValueError that names the argument or option that is missing or impossible.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or len(labels) == 0 or labels.min() < 0:
        raise ValueError(f"labels: must be whole numbers from 0, [n]; these are {labels.dtype} {list(labels.shape)}")
    columns = _columns(scores, len(labels))
    try:
        size = kept(int(keep) if isinstance(keep, int | np.integer) else float(keep), len(labels))
    except ValueError as error:
        raise ValueError(f"keep: {error}") from None
    function = find_method(method)
    asks = options_of(function)
    if "scores" in asks:
        options["scores"] = list(columns)
    if "score" in asks and "score" not in options and asks["score"].default is Parameter.empty:
        if len(columns) != 1:
            there = f"one of {', '.join(columns)} as the option score" if columns else "scores"
            raise ValueError(f"scores: {method} chooses by a score: give {there}")
        options["score"] = next(iter(columns))
    if features is not None and len(features) != len(labels):
        raise ValueError(f"features: {len(features)} rows for {len(labels)} labels")
    classes = int(labels.max()) + 1
    if outputs is not None and (outputs.ndim != 2 or len(outputs) != len(labels) or outputs.shape[1] < classes):
        raise ValueError(
            f"outputs: must be [n, classes], here [{len(labels)}, {classes}] or wider; these are {list(outputs.shape)}"
        )
    if target_features is not None and (features is None or target_features.shape[1:] != features.shape[1:]):
        raise ValueError("target_features: must be of the same network as features, with as many columns")
    if target_outputs is not None and (target_outputs.ndim != 2 or target_outputs.shape[1] < classes):
        shape = list(target_outputs.shape)
        raise ValueError(f"target_outputs: must be [t, classes], here [t, {classes}] or wider; these are {shape}")
    usual = {"epoch": (int, 0)} if "epoch" in asks else {}  # the pipeline's scores have epochs
    held = None if validation is None else HeldOut(*validation)
    known = (labels.astype(np.int64), classes, columns, features, outputs)
    evidence = Given(*known, target_outputs, target_features, held)
    return choose(evidence, method, checked_options([function], options, others=usual), size, seed)


def _columns(scores: np.ndarray | Mapping[str, np.ndarray] | None, count: int) -> dict[str, np.ndarray]:
    """Scores by name; a single array gets the name ``scores``."""
    if scores is None:
        return {}
    found = {name: np.asarray(s) for name, s in (scores if isinstance(scores, Mapping) else {"scores": scores}).items()}
    for name, values in found.items():
        if values.shape != (count,) or np.isnan(values).any():
            raise ValueError(
                f"scores: {name} must have a number for each of the {count} labels, none of them nan; "
                f"its shape is {list(values.shape)}"
            )
    return found
