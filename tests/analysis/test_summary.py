"""What came of the tickets, against cases by hand."""

import pandas as pd
import pytest

from tests.analysis.level_results import BAR, BARRIER, LEVELS, TABLE, between, results
from winnow.analysis.cuts import measured_cuts
from winnow.analysis.summary import (
    at_the_same_sparsity,
    connected_and_matching,
    in_words,
    successive,
    successive_pairs,
)
from winnow.analysis.verdicts import as_metrics, verdicts
from winnow.params.pruning import Level
from winnow.storage import load_table, save_table


def test_one_replicate_gives_no_verdict():
    one = verdicts(results().query("seed == 0"), between().query("seed == 0"))
    assert one["matching"].tolist() == one["connected_to_parent"].tolist() == [None] * 6
    assert one["epsilon"].isna().all()
    assert one["barrier_to_parent"].notna().sum() == 5
    assert sum(connected_and_matching(successive_pairs(one, between(), LEVELS)).values()) == 0
    assert "too few replicates to tell matching" in in_words(one)


def test_no_replicates_give_empty_tables():
    none = verdicts(results().iloc[:0], between().iloc[:0])
    assert none.empty
    assert list(none.columns) == list(TABLE.columns)
    assert as_metrics(results().iloc[:0], none) == {}
    assert measured_cuts(none, {}).empty
    assert at_the_same_sparsity({}, none) == {}
    assert not successive(none, LEVELS).any()
    assert in_words(none) == ""


def test_connected_against_matching():
    # l1 and l2 match and are connected; l3 and c1 neither; r1 is not cut from its parent
    assert connected_and_matching(successive_pairs(TABLE, between(), LEVELS)) == {
        "connected, both match": 2,
        "connected, not both match": 0,
        "not connected, both match": 0,
        "not connected, not both match": 2,
    }


def test_pairs_have_the_spread_of_their_barrier_over_replicates():
    pairs = successive_pairs(TABLE, between(), LEVELS).set_index("level")
    assert pairs["parent"].to_dict() == {"l1": "dense", "l2": "l1", "l3": "l2", "c1": "l1"}
    assert pairs["mean"].to_dict() == pytest.approx({name: BARRIER[name] for name in pairs.index})
    low, high = (BARRIER["l3"] * scale for scale in (0.66, 1.34))  # of 0.5, 1 and 1.5 times
    assert pairs.loc["l3", ["low", "high", "count"]].tolist() == pytest.approx([low, high, 3])
    assert pairs["both_match"].tolist() == [True, True, False, False] == pairs["connected"].tolist()
    unknown = TABLE.assign(matching=[True, True, None, True, True, True])
    assert successive_pairs(unknown, between(), LEVELS)["both_match"].tolist() == [True, None, None, True]


def test_a_level_whose_parent_does_not_match_is_not_one_of_two_that_match():
    table = TABLE.assign(matching=[True, False, True, True, True, True], connected_to_parent=[None, *[True] * 5])
    assert connected_and_matching(successive_pairs(table, between(), LEVELS)) == {
        "connected, both match": 1,  # l3
        "connected, not both match": 3,
        "not connected, both match": 0,
        "not connected, not both match": 0,
    }


def ways(*rows: tuple[object, ...]) -> pd.DataFrame:
    columns = ["level", "parent", "variant", "density", "error", "rewind", "data"]
    return pd.DataFrame(rows, columns=columns).assign(matching=True)


def level(parent: str, variant: str) -> Level:
    choice = {"adaptive": {"max_error_rise": 0.1}, "dense": {}}.get(variant, {"prune": 0.5})
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
    assert found["imp"] == {"level": "i3", "cuts": 3, "density": 0.125, "mean_error": 0.12, "matching": True}
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
    assert dict(zip(table["level"], successive(table, LEVELS), strict=True)) == {
        "dense": False, "l1": True, "l2": False, "l3": True, "c1": True, "r1": False,
    }  # fmt: skip
    assert measured_cuts(table, LEVELS)["child"].tolist() == ["l1", "l3", "c1"]
    assert sum(connected_and_matching(successive_pairs(table, between(), LEVELS)).values()) == 3
    table = TABLE.assign(rewind=["dense", "early", "early", "early", "early", "early"])
    assert successive(table, LEVELS).tolist() == [False, False, True, True, True, False]


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
