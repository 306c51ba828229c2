"""Verdicts on levels, against cases by hand."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from tests.analysis.level_results import BAR, BARRIER, DENSE_ERRORS, ERROR, LEFT, LEVELS, TABLE, between, results
from winnow.analysis.verdicts import as_metrics, barriers, ends, verdicts
from winnow.storage import save_json


def of(column: str) -> dict[str, object]:
    return dict(zip(TABLE["level"], TABLE[column], strict=True))


def test_barriers_of_lines_by_hand():
    rows = [
        # the points of a line come in any order, and lines are told apart by every other column
        ("dense", "l1", 0, "test", 1.0, 0.2, 1.0),
        ("dense", "l1", 0, "test", 0.0, 0.1, 1.0),
        ("dense", "l1", 0, "test", 0.25, 0.5, 0.5),
        ("dense", "l1", 0, "test", 0.75, 0.2, 3.0),
        ("dense", "l1", 0, "train", 0.0, 0.3, 0.0),
        ("dense", "l1", 0, "train", 1.0, 0.1, 0.0),
        ("dense", "l1", 1, "test", 0.0, 0.1, 0.0),
        ("dense", "l1", 1, "test", 0.5, 0.3, 0.0),
        ("dense", "l1", 1, "test", 1.0, 0.1, 2.0),
    ]
    found = barriers(pd.DataFrame(rows, columns=["a", "b", "seed", "split", "alpha", "error", "loss"]))
    assert list(found.columns) == ["a", "b", "seed", "split", "barrier", "place", "loss_barrier"]
    found = found.set_index(["seed", "split"])
    assert found.loc[(0, "test")].tolist() == ["dense", "l1", pytest.approx(0.375), 0.25, pytest.approx(2.0)]
    assert found.loc[(1, "test")].tolist() == ["dense", "l1", pytest.approx(0.2), 0.5, 0.0]
    flat = found.loc[(0, "train")]
    assert flat["barrier"] == 0
    assert math.isnan(flat["place"])


def test_no_lines_have_no_barriers():
    none = pd.DataFrame(columns=["at", "a", "b", "seed", "alpha", "split", "error", "loss"])
    assert list(barriers(none).columns) == ["at", "a", "b", "seed", "split", "barrier", "place", "loss_barrier"]
    assert barriers(none).empty
    assert ends(none).empty


def test_ends_of_lines():
    lines = pd.DataFrame({"seed": [0, 0, 1], "alpha": [0.0, 1.0, 1.0], "error": [0.1, 0.2, 0.3]})
    assert ends(lines).to_dict("list") == {"seed": [0, 1], "error": [0.2, 0.3]}


def test_verdicts():
    assert of("matching") == {"dense": True, "l1": True, "l2": True, "l3": False, "c1": False, "r1": False}
    assert of("connected_to_parent") == {
        "dense": None, "l1": True, "l2": True, "l3": False, "c1": False, "r1": False,
    }  # fmt: skip
    assert of("barrier_to_parent") == pytest.approx({"dense": np.nan, **BARRIER}, nan_ok=True)
    assert of("barrier_to_dense") == pytest.approx(
        {"dense": np.nan, **{name: (1 if name == "l1" else 2) * barrier for name, barrier in BARRIER.items()}},
        nan_ok=True,
    )
    assert of("error") == pytest.approx({name: 0.11 + above for name, above in ERROR.items()})
    assert of("density") == pytest.approx(LEFT)
    assert set(TABLE["epsilon"]) == {BAR}
    assert set(TABLE["replicates"]) == {3}
    assert of("low")["dense"] == pytest.approx(np.percentile(DENSE_ERRORS, 16))
    assert of("high")["dense"] == pytest.approx(np.percentile(DENSE_ERRORS, 84))


def test_a_level_that_only_rises_from_its_parent_is_connected_but_not_in_its_sublevel_set():
    flat = verdicts(results(), between().assign(barrier=0.0)).set_index("level")
    assert flat["connected_to_parent"].to_dict() == {"dense": None, **dict.fromkeys(LEVELS, True)}
    assert flat["above_parent"].to_dict() == pytest.approx(
        {"dense": np.nan, "l1": 0.01, "l2": 0.02, "l3": 0.02, "c1": 0.19, "r1": 0.29}, nan_ok=True
    )
    assert flat["in_parent_lcs"].to_dict() == {
        "dense": None, "l1": True, "l2": True, "l3": True, "c1": False, "r1": False,
    }  # fmt: skip
    assert of("in_parent_lcs")["l3"] is False  # a barrier suffices to be outside


def test_metrics(tmp_path):
    metrics = as_metrics(results(), TABLE)
    save_json(tmp_path / "metrics.json", metrics)
    text = (tmp_path / "metrics.json").read_text()
    assert "NaN" not in text
    read = json.loads(text)
    assert list(read) == list(LEFT)
    assert read["dense"]["barrier_to_parent"] is None
    assert read["dense"]["connected_to_parent"] is None
    assert read["l3"] == {
        "parent": "l2",
        "variant": "imp",
        "rewind": "dense",
        "data": "full",
        "density": 0.125,
        "errors": pytest.approx({"0": 0.15, "1": 0.16, "2": 0.17}),
        "mean_error": pytest.approx(0.16),
        "matching": False,
        "barrier_to_parent": pytest.approx(0.04),
        "connected_to_parent": False,
        "barrier_to_dense": pytest.approx(0.08),
        "above_parent": pytest.approx(0.02),
        "in_parent_lcs": False,
    }
