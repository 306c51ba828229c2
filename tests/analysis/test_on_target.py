"""The table of networks that were fine-tuned on a target."""

import pandas as pd

from winnow.analysis.on_target import COLUMNS, on_target

ACCURACY = pd.DataFrame(
    [("a", "0.5", 0.5, 50), ("a", "0.5", 0.5, 50), ("a", "20", 0.2, 20), ("full", "1.0", 1.0, 100)],
    columns=["method", "keep", "fraction", "images"],
)


def seeds(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"seed": range(len(values)), "accuracy": values, "split": "test"})


def test_every_network_has_a_row():
    tuned = {("t", "a-0.5"): seeds(0.7, 0.8), ("t", "full"): seeds(0.9), ("u", "fresh"): seeds(0.3)}
    assert on_target(ACCURACY, tuned).to_dict("split")["data"] == [
        ["t", "a", "0.5", 0.5, 50, 0, 0.7],
        ["t", "a", "0.5", 0.5, 50, 1, 0.8],
        ["t", "full", "1.0", 1.0, 100, 0, 0.9],
        ["u", "fresh", "0", 0.0, 0, 0, 0.3],
    ]


def test_without_targets_it_has_columns_alone():
    empty = on_target(ACCURACY, {})
    assert list(empty) == list(COLUMNS)
    assert len(empty) == 0
