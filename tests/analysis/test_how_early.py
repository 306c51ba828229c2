"""The table of accuracies by epoch of the score and by seeds averaged, against cases worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from winnow.analysis.how_early import along, how_early
from winnow.selection.choices import choices
from winnow.selection.scored_by import scored_by

NAMES = [
    "el2n", "el2n-epoch4", "el2n-epoch0", "el2n-seeds1", "el2n-seeds1-group2", "el2n-seeds10", "grand-seeds5",
    "el2n-window0", "el2n-perclass", "input_norm", "random",
]  # fmt: skip
METHODS = choices({**{name: {} for name in NAMES}, "far": {"method": "k_center"}}, epoch=4)


def accuracies(of: dict[tuple[str, str], list[float]]) -> pd.DataFrame:
    """Of two splits; the validation split has other numbers."""
    rows = [
        (method, keep, float(keep), seed, split, value - (split == "validation"))
        for (method, keep), values in of.items()
        for seed, value in enumerate(values)
        for split in ("test", "validation")
    ]
    return pd.DataFrame(rows, columns=["method", "keep", "fraction", "seed", "split", "accuracy"])


def test_each_method_is_there_once_with_what_it_ranks_by():
    found = scored_by(METHODS, seeds=10).set_index("method")
    assert {name: tuple(row) for name, row in found.iterrows()} == {
        "full": ("full", -1, 0, 1),
        "el2n": ("el2n", 4, 10, 1),  # el2n-epoch4 and el2n-seeds10 say the same
        "el2n-epoch0": ("el2n", 0, 10, 1),
        "el2n-seeds1": ("el2n", 4, 1, 1),
        "el2n-seeds1-group2": ("el2n", 4, 1, 2),
        "grand-seeds5": ("grand", 4, 5, 1),
        "input_norm": ("input_norm", -1, 0, 1),
        "random": ("random", -1, 0, 1),
    }


def test_groups_of_networks_are_pooled_and_counted():
    of_one = {("el2n-seeds1", "0.3"): [0.5, 0.6], ("el2n-seeds1-group2", "0.3"): [0.9, 0.8]}
    all_of_them = {("el2n", "0.3"): [0.9, 0.7], ("el2n-epoch4", "0.3"): [0.1, 0.1], ("el2n-window0", "0.3"): [0.0, 0.0]}
    table = how_early(accuracies({**of_one, **all_of_them, ("full", "1.0"): [1.0, 1.0]}), scored_by(METHODS, seeds=10))
    assert list(zip(table["score"], table["epoch"], table["seeds"], table["keep"], strict=True)) == [
        ("el2n", 4, 1, "0.3"), ("el2n", 4, 10, "0.3"), ("full", -1, 0, "1.0"),
    ]  # fmt: skip
    assert table["mean"].tolist() == pytest.approx([0.7, 0.8, 1.0])
    assert table["count"].tolist() == [4, 2, 2]
    assert table["groups"].tolist() == [2, 1, 1]
    band = np.percentile([0.5, 0.6, 0.9, 0.8], [16, 84])
    assert table[["low", "high"]].iloc[0].tolist() == pytest.approx(band.tolist())


def test_a_line_has_two_places_at_one_keep():
    both = {("el2n", "0.3"): [0.9], ("el2n-epoch0", "0.3"): [0.4], ("random", "0.3"): [0.8]}
    alone = {("el2n", "0.5"): [0.9], ("el2n-seeds1", "0.3"): [0.6], ("grand-seeds5", "0.3"): [0.6]}
    table = how_early(accuracies({**both, **alone}), scored_by(METHODS, seeds=10))
    epochs, seeds = along(table, "epoch"), along(table, "seeds")
    assert list(zip(epochs["epoch"], epochs["seeds"], epochs["keep"], strict=True)) == [(0, 10, "0.3"), (4, 10, "0.3")]
    assert list(zip(seeds["epoch"], seeds["seeds"], seeds["keep"], strict=True)) == [(4, 1, "0.3"), (4, 10, "0.3")]
    assert along(how_early(accuracies(alone), scored_by(METHODS, seeds=10)), "epoch").empty
