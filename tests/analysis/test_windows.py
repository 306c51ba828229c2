"""Windows of a ranking, on made-up accuracies whose best window is known."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.analysis.windows import windows
from winnow.selection.choices import choices

IMAGES = 1000


def accuracies(means: dict[tuple[str, float], tuple[float, float]], seeds: int = 3) -> pd.DataFrame:
    """means: on the validation and on the test split, by method and fraction kept. Every seed is off by 0.01 more."""
    rows = [
        (method, str(keep), keep, round(IMAGES * keep), seed, split, mean + 0.01 * (seed - (seeds - 1) / 2))
        for (method, keep), both in means.items()
        for split, mean in zip(("validation", "test"), both, strict=True)
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows, columns=["method", "keep", "fraction", "images", "seed", "split", "accuracy"])


def found(means: dict[tuple[str, float], tuple[float, float]], methods: Any = None) -> pd.DataFrame:
    return windows(accuracies(means), choices(methods or list(dict.fromkeys(method for method, _ in means)), 4))


FIVE = {
    ("el2n", 0.4): (0.90, 0.99),
    ("el2n-window0.5", 0.4): (0.93, 0.91),
    ("el2n-window0", 0.4): (0.70, 0.71),
    ("random", 0.4): (0.95, 0.95),
    ("el2n-window0.25", 0.4): (0.92, 0.96),
    ("full", 1.0): (0.98, 0.98),
}


def test_windows_go_from_the_easiest_to_the_hardest_and_say_what_they_leave_out():
    table = found(FIVE).query("split == 'test'")
    assert table[["method", "start", "left_out"]].to_numpy().tolist() == [
        ["el2n-window0", 0.0, 600],
        ["el2n-window0.25", 0.25, 350],
        ["el2n-window0.5", 0.5, 100],
        ["el2n", 0.6, 0],
    ]
    assert set(zip(table["score"], table["epoch"], table["keep"], table["per_class"], strict=True)) == {
        ("el2n", 4, "0.4", False)
    }
    assert table["mean"].tolist() == pytest.approx([0.71, 0.96, 0.91, 0.99])
    assert table["low"].tolist() == pytest.approx([mean - 0.01 * 0.68 for mean in (0.71, 0.96, 0.91, 0.99)])
    assert set(table["count"]) == {3}


def test_the_best_window_is_that_of_the_validation_split_in_the_rows_of_both():
    table = found(FIVE)
    best = table[table["best"]]
    assert best[["method", "split"]].to_numpy().tolist() == [
        ["el2n-window0.5", split] for split in ("validation", "test")
    ]
    assert best["mean"].tolist() == pytest.approx([0.93, 0.91])


def test_what_has_no_start_or_other_counts_of_the_classes_is_not_compared():
    others = {(f"el2n-{part}", 0.4): (0.99, 0.99) for part in ("middle", "ends", "equal", "window0.1-equal")}
    pd.testing.assert_frame_equal(found(FIVE | others), found(FIVE))


def test_every_score_epoch_and_keep_is_a_group_of_its_own():
    means = {
        ("el2n", 0.4): (0.9, 0.9), ("el2n-window0.1", 0.4): (0.8, 0.8), ("el2n", 0.2): (0.9, 0.9),
        ("el2n-window0.1", 0.2): (0.95, 0.95), ("el2n", 0.1): (0.9, 0.9), ("el2n-epoch8-window0.1", 0.4): (0.99, 0.99),
        ("el2n-window0.1-perclass", 0.4): (0.99, 0.99), ("grand", 0.4): (0.6, 0.6),
        ("grand-window0.3", 0.4): (0.7, 0.7), ("input_norm-window0.3", 0.4): (0.7, 0.7),
        ("input_norm", 0.4): (0.6, 0.6),
    }  # fmt: skip
    table = found(means).query("split == 'test' and best")
    groups = zip(table["score"], table["epoch"], table["keep"], table["method"], strict=True)
    assert list(groups) == [
        ("el2n", 4, "0.4", "el2n"),
        ("el2n", 4, "0.2", "el2n-window0.1"),
        ("grand", 4, "0.4", "grand-window0.3"),
        ("input_norm", -1, "0.4", "input_norm-window0.3"),
    ]


def test_methods_may_have_names_of_the_users():
    methods = {
        "random": {},
        "far": {"method": "k_center"},
        "hard": {"method": "ranked", "score": "el2n"},
        "middle": {"method": "ranked", "score": "el2n", "window": 0.3},
    }
    table = found({(name, 0.4): (0.9, 0.9) for name in methods}, methods)
    assert table["method"].tolist() == ["middle", "middle", "hard", "hard"]


@pytest.mark.parametrize("methods", [["random"], ["el2n", "random"], ["el2n-window0.1", "random", "random-window0.1"]])
def test_without_two_windows_there_is_no_row(methods):
    table = found({(name, 0.4): (0.9, 0.9) for name in methods})
    assert table.empty
    assert list(table) == list(found(FIVE))


def test_without_a_validation_split_no_window_is_the_best():
    rows = accuracies(FIVE)
    rows.loc[rows["split"] == "validation", "accuracy"] = np.nan
    table = windows(rows, choices(list(dict.fromkeys(rows["method"]))[:-1], 4))
    assert table["split"].tolist() == 4 * ["test"]
    assert not table["best"].any()


@given(st.lists(st.integers(0, 12), min_size=1, unique=True), st.randoms())
def test_the_order_of_the_rows_changes_nothing(starts, random):
    means = {(f"el2n-window{start / 20:g}", 0.4): (0.5 + start / 30, 0.9) for start in starts} | {
        ("el2n", 0.4): (0.7, 0.7)
    }
    methods = choices([method for method, _ in means], 4)
    table = accuracies(means)
    mixed = table.sample(frac=1, random_state=random.randrange(1000))
    pd.testing.assert_frame_equal(*(in_order(windows(rows, methods)) for rows in (table, mixed)))


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    rounded = table.assign(**{name: np.round(table[name], 9) for name in ("mean", "low", "high")})
    return rounded.sort_values(["method", "split"], ignore_index=True)
