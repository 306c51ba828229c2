"""The images of the highest EL2N, whose labels the networks doubt most (claim D8: randomised labels gather there)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from winnow.scores.columns import column

AT_ONCE = 2**22  # outputs of a network that are in memory at a time


def predicted_labels(outputs: Sequence[np.ndarray]) -> np.ndarray:
    """The class of the highest mean probability over networks, int64 [n]. outputs: log softmax [n, classes] of each."""
    count = max(1, AT_ONCE // outputs[0].shape[1])
    parts = (slice(first, first + count) for first in range(0, len(outputs[0]), count))
    totals = (sum(np.exp(of_one[part], dtype=np.float64) for of_one in outputs) for part in parts)
    return np.concatenate([np.argmax(np.asarray(total), axis=1) for total in totals])


def suspects(
    table: pd.DataFrame, predicted: np.ndarray, class_names: Sequence[Any], epoch: int, count: int
) -> pd.DataFrame:
    """The ``count`` images of the highest EL2N at an epoch, highest first.

    Columns: rank (from 1), id, position; given, predicted, original (the source's) and label (class names); el2n,
    stderr. label is the given one, for the user to correct: the list has the form of labels.file
    (datasets.label_file), and always the same columns, so that one list can follow another in a file.

    table: from scores.aggregate; predicted: int [n], in the order of the table.
    """
    el2n = table[column("el2n", epoch)].to_numpy()
    rows = np.argsort(-el2n, kind="stable")[:count]
    names = np.asarray(class_names)
    given, original = (names[table[which].to_numpy()[rows]] for which in ("label", "original_label"))
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(rows) + 1),
            "id": table["id"].to_numpy()[rows],
            "position": table["position"].to_numpy()[rows],
            "given": given,
            "predicted": names[predicted[rows]],
            "original": original,
            "label": given,
            "el2n": el2n[rows],
            "stderr": table[column("el2n", epoch, "stderr")].to_numpy()[rows],
        }
    )


def has_noise(table: pd.DataFrame) -> bool:
    """Whether any label is known to be wrong."""
    return bool((table["label"] != table["true_label"]).any())
