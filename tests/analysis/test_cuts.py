"""Cuts that were made and predicted, against cases by hand."""

import numpy as np
import pandas as pd
import pytest

from tests.analysis.level_results import BARRIER, LEVELS, TABLE
from winnow.analysis.cuts import (
    cut_limits,
    errors_around_cuts,
    largest_cuts,
    mean_curvature,
    measured_cuts,
    predicted_cuts,
)


def test_measured_cuts():
    cuts = measured_cuts(TABLE, LEVELS).set_index("child")
    assert cuts["level"].to_dict() == {"l1": "dense", "l2": "l1", "l3": "l2", "c1": "l1"}
    assert cuts["density"].to_dict() == {"l1": 1.0, "l2": 0.5, "l3": 0.25, "c1": 0.5}
    assert cuts["cut"].to_dict() == pytest.approx({"l1": 0.5, "l2": 0.5, "l3": 0.5, "c1": 0.8})
    assert cuts["barrier"].to_dict() == pytest.approx({name: BARRIER[name] for name in cuts.index})
    assert cuts["connected"].to_dict() == {"l1": True, "l2": True, "l3": False, "c1": False}
    assert cuts["in_lcs"].to_dict() == {"l1": True, "l2": True, "l3": False, "c1": False}


def test_largest_cuts():
    curvature = pd.DataFrame(
        [("l1", 0, 0.3, 0.4), ("l1", 1, 0.5, 0.6), ("l3", 0, 0.1, 0.1), ("dense", 0, 0.2, 0.9)],
        columns=["level", "seed", "predicted_low", "predicted_high"],
    )
    found = largest_cuts(predicted_cuts(curvature, TABLE), cut_limits(measured_cuts(TABLE, LEVELS)))
    assert list(found) == ["l1", "l3", "dense"]
    assert found["l1"] == pytest.approx(
        {"predicted_low": 0.4, "predicted_high": 0.5, "largest_inside": 0.5, "smallest_outside": 0.8}
    )
    none = {"largest_inside": None, "smallest_outside": None}
    assert found["l3"] == {"predicted_low": 0.1, "predicted_high": 0.1, **none}
    assert found["dense"] == {"predicted_low": 0.2, "predicted_high": 0.9, **none, "largest_inside": 0.5}


def test_limits_lie_between_the_cuts_inside_and_outside():
    rows = [
        ("dense", 1.0, 0.2, True), ("dense", 1.0, 0.4, True), ("dense", 1.0, 0.8, False),
        ("l1", 0.8, 0.2, True),
        ("l2", 0.64, 0.2, False), ("l2", 0.64, 0.4, True),
        ("l3", 0.5, 0.2, False),
    ]  # fmt: skip
    found = cut_limits(pd.DataFrame(rows, columns=["level", "density", "cut", "in_lcs"])).set_index("level")
    assert found["density"].to_dict() == {"dense": 1.0, "l1": 0.8, "l2": 0.64, "l3": 0.5}
    assert found["largest_inside"].fillna(-1).to_dict() == {"dense": 0.4, "l1": 0.2, "l2": 0.4, "l3": -1}
    assert found["smallest_outside"].fillna(-1).to_dict() == {"dense": 0.8, "l1": -1, "l2": 0.2, "l3": 0.2}


def test_predicted_cuts_are_means_over_replicates_at_what_the_level_has():
    rows = [("l2", 0, 0.3, 0.4), ("l2", 1, 0.5, 0.6)]
    curvature = pd.DataFrame(rows, columns=["level", "seed", "predicted_low", "predicted_high"])
    found = predicted_cuts(curvature, TABLE).set_index("prediction")
    assert found["mean"].to_dict() == pytest.approx({"predicted_high": 0.5, "predicted_low": 0.4})
    assert found["low"].to_dict() == pytest.approx({"predicted_high": 0.432, "predicted_low": 0.332})
    assert set(found["density"]) == {0.25} and set(found["count"]) == {2}


def networks(*rows):
    columns = ["level", "parent", "seed", "density", "error", "error_after_cut", "error_after_two_cuts"]
    return pd.DataFrame(rows, columns=columns).assign(variant="imp", rewind="dense", data="full", split="test")


def test_two_cuts_leave_of_each_replicate_what_the_same_cut_leaves_again():
    table = networks(
        ("dense", "", 0, 1.0, 0.1, np.nan, np.nan), ("dense", "", 1, 1.0, 0.1, np.nan, np.nan),
        ("l1", "dense", 0, 0.5, 0.2, 0.4, 0.8), ("l1", "dense", 1, 0.4, 0.3, 0.5, 0.9),
        ("l2", "l1", 0, 0.3, 0.2, 0.4, 0.8), ("l2", "l1", 1, 0.1, 0.4, 0.5, np.nan),
    )  # fmt: skip
    found = errors_around_cuts(pd.concat([table, table.assign(split="train", error=0.9)]))
    found = found.set_index(["moment", "level"])
    assert found["density"].to_dict() == pytest.approx(
        {
            ("error_after_two_cuts", "l1"): (0.5 * 0.5 + 0.4 * 0.4) / 2,
            ("error_after_two_cuts", "l2"): 0.3 * 0.3 / 0.5,  # the other replicate has no error
            ("error_after_cut", "l1"): 0.45,
            ("error_after_cut", "l2"): 0.2,
            ("error", "dense"): 1.0,
            ("error", "l1"): 0.45,
            ("error", "l2"): 0.2,
        }
    )
    assert found.loc[("error", "l2"), "mean"] == pytest.approx(0.3)
    assert found.loc[("error_after_two_cuts", "l1"), "mean"] == pytest.approx(0.85)
    assert found.loc[("error_after_cut", "l1"), ["low", "high"]].tolist() == pytest.approx([0.416, 0.484])


def test_mean_curvature():
    rows = [("l1", 0, 2.0, 10.0), ("l1", 1, 4.0, 30.0), ("dense", 0, 1.0, 5.0)]
    assert mean_curvature(pd.DataFrame(rows, columns=["level", "seed", "largest", "trace"])) == {
        "l1": {"largest_eigenvalue": 3.0, "trace": 20.0},
        "dense": {"largest_eigenvalue": 1.0, "trace": 5.0},
    }
