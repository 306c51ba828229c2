"""Tables of what came of the tickets, against cases by hand."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from winnow.params.imp import Level
from winnow.storage import load_table, save_json, save_table
from winnow.tickets.matching import epsilon
from winnow.tickets.summary import (
    as_metrics,
    barriers,
    connected_and_matching,
    cuts_needed,
    ends,
    in_words,
    largest_cuts,
    measured_cuts,
    verdicts,
)

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
    assert cuts_needed({}, none) == {}
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


def test_largest_cuts():
    predicted = pd.DataFrame(
        [("l1", 0, 0.4), ("l1", 1, 0.6), ("l3", 0, 0.1), ("dense", 0, 0.2)], columns=["level", "seed", "predicted"]
    )
    found = largest_cuts(predicted, measured_cuts(TABLE))
    assert list(found) == ["l1", "l3", "dense"]
    assert found["l1"] == pytest.approx({"predicted": 0.5, "largest_connected": 0.5, "smallest_not_connected": 0.8})
    assert found["l3"] == {"predicted": 0.1, "largest_connected": None, "smallest_not_connected": None}
    assert found["dense"] == {"predicted": 0.2, "largest_connected": 0.5, "smallest_not_connected": None}


def test_cuts_needed():
    found = cuts_needed(LEVELS, TABLE)
    assert set(found) == {"imp", "trial"}
    assert found["imp"] == {
        "level": "l3", "cuts": 3, "weights_left": 0.125, "mean_error": pytest.approx(0.16), "matching": False,
    }  # fmt: skip
    assert (found["trial"]["level"], found["trial"]["cuts"]) == ("c1", 2)


def test_a_dense_level_of_its_own_is_no_cut():
    levels = {
        "d0": Level(parent="dense", rewind="dense", data="full", variant="dense"),
        "o1": Level(parent="d0", rewind="dense", data="full", variant="one_shot", cut=0.9),
    }
    table = pd.DataFrame([("d0", "dense", 1.0), ("o1", "one_shot", 0.1)], columns=["level", "variant", "left"]).assign(
        error=0.1, matching=True
    )
    assert cuts_needed(levels, table)["one_shot"]["cuts"] == 1


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
        "variant": "imp",
        "weights_left": 0.125,
        "errors": pytest.approx({"0": 0.15, "1": 0.16, "2": 0.17}),
        "mean_error": pytest.approx(0.16),
        "matching": False,
        "barrier_to_parent": pytest.approx(0.04),
        "connected_to_parent": False,
        "barrier_to_dense": pytest.approx(0.08),
    }


@pytest.mark.parametrize("replicates", ["seed >= 0", "seed == 0"])
def test_words_of_a_table_read_back(replicates, tmp_path):
    table = verdicts(results().query(replicates), between().query(replicates))
    save_table(tmp_path / "verdicts.csv", table)
    assert in_words(load_table(tmp_path / "verdicts.csv")) == in_words(table)


def test_words():
    lines = in_words(TABLE).splitlines()
    assert lines[0].startswith("dense (dense): 100.0% of the weights, error 11.00% [10.")
    assert lines[3].startswith("l3 (imp): 12.5% of the weights, error 16.00% [")
    assert lines[3].endswith("], not matching, barrier to l2 4.00 points")
