"""Tables of what came of the tickets, against cases by hand."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from winnow.tickets.matching import epsilon
from winnow.tickets.summary import (
    at_the_same_sparsity,
    connected_and_matching,
    in_words,
    largest_cuts,
    mean_curvature,
    measured_cuts,
    successive,
)
from winnow.tickets.verdicts import as_metrics, barriers, ends, verdicts

from winnow.params.imp import Level
from winnow.storage import load_table, save_json, save_table

DENSE_ERRORS = (0.10, 0.11, 0.12)
BAR = epsilon(DENSE_ERRORS)  # 0.035
LEVELS = {
    "l1": Level(parent="dense", rewind="dense", data="full", cut=0.5),
    "l2": Level(parent="l1", rewind="dense", data="full", cut=0.5),
    "l3": Level(parent="l2", rewind="dense", data="full", cut=0.5),
    "c1": Level(parent="l1", rewind="dense", data="full", variant="trial", cut=0.8),
    "r1": Level(parent="l1", rewind="dense", data="full", variant="random"),
}
LEFT = {"dense": 1.0, "l1": 0.5, "l2": 0.25, "l3": 0.125, "c1": 0.1, "r1": 0.5}
ERROR = {"dense": 0.0, "l1": 0.01, "l2": 0.03, "l3": 0.05, "c1": 0.2, "r1": 0.3}  # above the dense error
BARRIER = {"l1": 0.0, "l2": 0.02, "l3": 0.04, "c1": 0.3, "r1": 0.4}  # to the parent


def results() -> pd.DataFrame:
    """Replicates in another order than those of dense, with rows of the training part that must not count."""
    rows = []
    for name, above in ERROR.items():
        level = LEVELS.get(name)
        about = (level.parent, level.variant) if level else ("", "dense")
        for seed in (0, 1, 2) if name == "dense" else (2, 0, 1):
            for split, error in (("train", 0.9), ("test", DENSE_ERRORS[seed] + above)):
                rows.append((name, *about, "dense", "full", seed, split, LEFT[name], error, 3 * error))
    columns = ["level", "parent", "variant", "rewind", "data", "seed", "split", "left", "error", "loss"]
    return pd.DataFrame(rows, columns=columns)


def between() -> pd.DataFrame:
    """Barriers whose mean over the replicates of the test part are those of BARRIER; those to dense are twice as high
    where dense is not the parent."""
    pairs = {(level.parent, name): BARRIER[name] for name, level in LEVELS.items()}
    pairs |= {("dense", name): 2 * BARRIER[name] for name, level in LEVELS.items() if level.parent != "dense"}
    rows = [
        (a, b, seed, split, barrier * scale if split == "test" else 0.9)
        for (a, b), barrier in pairs.items()
        for seed, scale in enumerate((0.5, 1.5, 1.0))
        for split in ("train", "test")
    ]
    return pd.DataFrame(rows, columns=["a", "b", "seed", "split", "barrier"])


TABLE = verdicts(results(), between())


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
    assert of("left") == pytest.approx(LEFT)
    assert set(TABLE["epsilon"]) == {BAR}
    assert set(TABLE["replicates"]) == {3}
    assert of("low")["dense"] == pytest.approx(np.percentile(DENSE_ERRORS, 16))
    assert of("high")["dense"] == pytest.approx(np.percentile(DENSE_ERRORS, 84))


def test_one_replicate_gives_no_verdict():
    one = verdicts(results().query("seed == 0"), between().query("seed == 0"))
    assert one["matching"].tolist() == one["connected_to_parent"].tolist() == [None] * 6
    assert one["epsilon"].isna().all()
    assert one["barrier_to_parent"].notna().sum() == 5
    assert sum(connected_and_matching(one).values()) == 0
    assert "too few replicates to tell matching" in in_words(one)


def test_no_replicates_give_empty_tables():
    none = verdicts(results().iloc[:0], between().iloc[:0])
    assert none.empty
    assert list(none.columns) == list(TABLE.columns)
    assert as_metrics(results().iloc[:0], none) == {}
    assert measured_cuts(none).empty
    assert at_the_same_sparsity({}, none) == {}
    assert not successive(none).any()
    assert in_words(none) == ""


def test_connected_against_matching():
    # l1 and l2 match and are connected; l3 and c1 neither; r1 is not cut from its parent
    assert connected_and_matching(TABLE) == {
        "connected, both match": 2,
        "connected, not both match": 0,
        "not connected, both match": 0,
        "not connected, not both match": 2,
    }


def test_a_level_whose_parent_does_not_match_is_not_one_of_two_that_match():
    table = TABLE.assign(matching=[True, False, True, True, True, True], connected_to_parent=[None, *[True] * 5])
    assert connected_and_matching(table) == {
        "connected, both match": 1,  # l3
        "connected, not both match": 3,
        "not connected, both match": 0,
        "not connected, not both match": 0,
    }


def test_measured_cuts():
    cuts = measured_cuts(TABLE).set_index("child")
    assert cuts["level"].to_dict() == {"l1": "dense", "l2": "l1", "l3": "l2", "c1": "l1"}
    assert cuts["left"].to_dict() == {"l1": 1.0, "l2": 0.5, "l3": 0.25, "c1": 0.5}
    assert cuts["cut"].to_dict() == pytest.approx({"l1": 0.5, "l2": 0.5, "l3": 0.5, "c1": 0.8})
    assert cuts["barrier"].to_dict() == pytest.approx({name: BARRIER[name] for name in cuts.index})
    assert cuts["connected"].to_dict() == {"l1": True, "l2": True, "l3": False, "c1": False}
    assert cuts["in_lcs"].to_dict() == {"l1": True, "l2": True, "l3": False, "c1": False}


def test_largest_cuts():
    curvature = pd.DataFrame(
        [("l1", 0, 0.3, 0.4), ("l1", 1, 0.5, 0.6), ("l3", 0, 0.1, 0.1), ("dense", 0, 0.2, 0.9)],
        columns=["level", "seed", "predicted_low", "predicted_high"],
    )
    found = largest_cuts(curvature, measured_cuts(TABLE))
    assert list(found) == ["l1", "l3", "dense"]
    assert found["l1"] == pytest.approx(
        {"predicted_low": 0.4, "predicted_high": 0.5, "largest_inside": 0.5, "smallest_outside": 0.8}
    )
    none = {"largest_inside": None, "smallest_outside": None}
    assert found["l3"] == {"predicted_low": 0.1, "predicted_high": 0.1, **none}
    assert found["dense"] == {"predicted_low": 0.2, "predicted_high": 0.9, **none, "largest_inside": 0.5}


def test_mean_curvature():
    rows = [("l1", 0, 2.0, 10.0), ("l1", 1, 4.0, 30.0), ("dense", 0, 1.0, 5.0)]
    assert mean_curvature(pd.DataFrame(rows, columns=["level", "seed", "largest", "trace"])) == {
        "l1": {"largest_eigenvalue": 3.0, "trace": 20.0},
        "dense": {"largest_eigenvalue": 1.0, "trace": 5.0},
    }


def ways(*rows: tuple[object, ...]) -> pd.DataFrame:
    columns = ["level", "parent", "variant", "left", "error", "rewind", "data"]
    return pd.DataFrame(rows, columns=columns).assign(matching=True)


def level(parent: str, variant: str) -> Level:
    choice = {"adaptive": {"budget": 0.1}, "dense": {}}.get(variant, {"cut": 0.5})
    return Level(parent=parent, rewind="dense", data="full", variant=variant, **choice)


def test_cuts_at_the_same_sparsity_are_those_of_the_nearest_levels():
    levels = {
        "i1": level("dense", "imp"), "i2": level("i1", "imp"), "i3": level("i2", "imp"), "i4": level("i3", "imp"),
        "a1": level("dense", "adaptive"), "a2": level("a1", "adaptive"), "o1": level("dense", "one_shot"),
        "f1": level("dense", "fine_tuning"),
    }  # fmt: skip
    here = ("dense", "full")
    table = ways(
        ("i1", "dense", "imp", 0.5, 0.10, *here), ("i2", "i1", "imp", 0.25, 0.11, *here),
        ("i3", "i2", "imp", 0.125, 0.12, *here), ("i4", "i3", "imp", 0.0625, 0.13, *here),
        ("a1", "dense", "adaptive", 0.4, 0.14, *here), ("a2", "a1", "adaptive", 0.14, 0.15, *here),
        ("o1", "dense", "one_shot", 0.14, 0.16, "dense", "random-0.5"),  # on other data
        ("f1", "dense", "fine_tuning", 0.05, 0.17, *here),  # far away
    )  # fmt: skip
    found = at_the_same_sparsity(levels, table)
    assert {variant: (facts["level"], facts["cuts"]) for variant, facts in found.items()} == {
        "imp": ("i3", 3),
        "adaptive": ("a2", 2),
    }
    assert found["imp"] == {"level": "i3", "cuts": 3, "weights_left": 0.125, "mean_error": 0.12, "matching": True}
    without = at_the_same_sparsity(levels, table[table["variant"] != "adaptive"])
    assert {variant: facts["level"] for variant, facts in without.items()} == {"imp": "i4", "fine_tuning": "f1"}


def test_a_dense_level_of_its_own_is_no_cut():
    levels = {"d0": level("dense", "dense"), "o1": level("d0", "one_shot")}
    table = ways(
        ("d0", "dense", "dense", 1.0, 0.1, "dense", "full"), ("o1", "d0", "one_shot", 0.1, 0.1, "dense", "full")
    )
    assert at_the_same_sparsity(levels, table)["one_shot"]["cuts"] == 1


def test_levels_trained_otherwise_than_their_parent_are_not_successive():
    table = TABLE.assign(data=["full", "full", "el2n-0.5", "el2n-0.5", "full", "full"])
    assert dict(zip(table["level"], successive(table), strict=True)) == {
        "dense": False, "l1": True, "l2": False, "l3": True, "c1": True, "r1": False,
    }  # fmt: skip
    assert measured_cuts(table)["child"].tolist() == ["l1", "l3", "c1"]
    assert sum(connected_and_matching(table).values()) == 3
    table = TABLE.assign(rewind=["dense", "early", "early", "early", "early", "early"])
    assert successive(table).tolist() == [False, False, True, True, True, False]


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
        "weights_left": 0.125,
        "errors": pytest.approx({"0": 0.15, "1": 0.16, "2": 0.17}),
        "mean_error": pytest.approx(0.16),
        "matching": False,
        "barrier_to_parent": pytest.approx(0.04),
        "connected_to_parent": False,
        "barrier_to_dense": pytest.approx(0.08),
        "above_parent": pytest.approx(0.02),
        "in_parent_lcs": False,
    }


@pytest.mark.parametrize("replicates", ["seed >= 0", "seed == 0"])
def test_words_of_a_table_read_back(replicates, tmp_path):
    table = verdicts(results().query(replicates), between().query(replicates))
    save_table(tmp_path / "verdicts.csv", table)
    assert in_words(load_table(tmp_path / "verdicts.csv")) == in_words(table)


def test_words():
    lines = in_words(TABLE.assign(data=["full"] * 5 + ["el2n-0.5"], rewind=["dense"] * 5 + ["early"])).splitlines()
    assert lines[0].startswith("test error: mean of 3 replicates [16th to 84th percentile]; epsilon")
    assert lines[0].endswith(f": {100 * BAR:.2f} points")
    assert lines[1].startswith("dense (dense): 100.0% of the weights, error 11.00% [10.")
    assert lines[4].startswith("l3 (imp): 12.5% of the weights, error 16.00% [")
    assert lines[4].endswith("], not matching, barrier to l2 4.00 points")
    assert lines[6].startswith("r1 (random from early on el2n-0.5): 50.0%")
