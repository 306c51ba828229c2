"""The images whose label the early networks doubt most: the highest EL2N (claim D8: randomised labels gather there)."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from winnow.scores.columns import column


def predicted_labels(outputs: Iterable[np.ndarray]) -> np.ndarray:
    """The class of the highest probability, averaged over networks: int64 [n]. outputs: log softmax [n, classes] of
    each."""
    total = sum(np.exp(log_probabilities, dtype=np.float64) for log_probabilities in outputs)
    return np.argmax(np.asarray(total), axis=1)


def suspects(
    table: pd.DataFrame, predicted: np.ndarray, class_names: Sequence[Any], epoch: int, count: int
) -> pd.DataFrame:
    """The ``count`` images of the highest EL2N at an epoch, highest first: rank (from 1), id, position, given and
    predicted (class names), el2n, stderr; and original, if labels were randomised.

    table: that of scores.aggregate; predicted: int [n], in its order.
    """
    el2n = table[column("el2n", epoch)].to_numpy()
    rows = np.argsort(-el2n, kind="stable")[:count]
    names = np.asarray(class_names)
    found = pd.DataFrame(
        {
            "rank": np.arange(1, len(rows) + 1),
            "id": table["id"].to_numpy()[rows],
            "position": table["position"].to_numpy()[rows],
            "given": names[table["label"].to_numpy()[rows]],
            "predicted": names[predicted[rows]],
            "el2n": el2n[rows],
            "stderr": table[column("el2n", epoch, "stderr")].to_numpy()[rows],
        }
    )
    if has_noise(table):
        found["original"] = names[table["original_label"].to_numpy()[rows]]
    return found


def has_noise(table: pd.DataFrame) -> bool:
    """Whether any image was given a label other than its source's own."""
    return bool((table["label"] != table["original_label"]).any())
