"""Tickets against dense networks and against their checks, on made-up networks whose differences are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from winnow.analysis.pruned import changes, checked, frontier, not_told_apart, over_densities, without_rank

NOISE = np.random.default_rng(0).normal(0, 0.003, (7, 6))
GAINS = {  # over the dense networks, by method and check
    ("good", ""): -0.01,
    ("good", "shuffled"): -0.1,
    ("good", "inverted"): -0.2,
    ("same", ""): -0.05,
    ("same", "shuffled"): -0.0501,
    ("bad", ""): -0.3,
}


def made_up(setting: str = "s", densities: tuple[float, ...] = (0.3, 0.1), seeds: int = 6) -> pd.DataFrame:
    rows = []
    for row, ((method, check), gain) in enumerate(GAINS.items()):
        group = "iterated" if method == "good" else "after"
        about = (group, 5 if method == "good" else 2, method == "bad")
        for density in densities:
            for seed in range(seeds):
                accuracy = 0.9 + seed / 100 + gain * (1 + 0.3 - density) + NOISE[row, seed]
                alive = density if method == "bad" else 0.5 + density / 2
                taken = (10 * about[1], alive, about[1] * alive)
                retraining = "" if method == "good" else "rewind rest all dense full"
                rows.append((setting, 0, seed, method, density, check, *about, density + 0.001, *taken, False,
                             retraining, 1 - accuracy, accuracy))  # fmt: skip
    dense = ("dense", 1.0, "", "dense", 1, False, 1.0, 10, 1.0, 1.0, False, "", np.nan)
    rows += [(setting, 0, seed, *dense, 0.9 + seed / 100) for seed in range(seeds)]
    columns = ["setting", "repeat", "seed", "method", "density", "check", "group", "trainings", "images", "left",
               "steps", "alive", "cost", "channels", "retraining", "error_after_cut", "accuracy"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def test_changes_are_paired_with_the_dense_network_of_the_same_seed() -> None:
    """The seeds differ by a point each, which the pairs leave out."""
    found = changes(made_up()).set_index(["method", "density"])
    assert set(found.index) == {(method, density) for method in ("good", "same", "bad") for density in (0.3, 0.1)}
    row = found.loc[("good", 0.3)]
    assert row["change"] == pytest.approx(-0.01 + NOISE[0].mean())
    assert row["high"] - row["low"] < 0.01
    assert (row["networks"], row["trainings"], row["group"], row["images"]) == (6, 5, "iterated", False)
    assert row["left"] == pytest.approx(0.301)
    assert (row["steps"], row["alive"], row["cost"]) == pytest.approx((50, 0.65, 3.25))


def test_verdicts_of_checks_are_those_of_a_paired_t_test() -> None:
    table = made_up()
    found = checked(table).set_index(["method", "density", "check"])
    assert len(found) == 6
    for (method, density, check), row in found.iterrows():
        own = table[(table["method"] == method) & (table["density"] == density)]
        test = ttest_rel(*(own.loc[own["check"] == name, "accuracy"].to_numpy() for name in ("", check)))
        assert (row["verdict"] == "not told apart") == (test.pvalue > 0.05)
        interval = test.confidence_interval(0.95)
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert found.loc[("good", 0.1, "inverted"), "verdict"] == "better"
    assert found.loc[("same", 0.1, "shuffled"), "verdict"] == "not told apart"
    worse = table.assign(check=table["check"].map({"": "shuffled", "shuffled": ""}))
    assert (checked(worse[worse["method"] == "good"])["verdict"] == "worse").all()


def test_with_one_network_nothing_is_told_apart() -> None:
    table = made_up(seeds=1)
    assert (checked(table)["verdict"] == "not told apart").all()
    assert changes(table)["low"].isna().all()
    assert not_told_apart(table, ["good", "bad"], 0.1, "s") == ["good", "bad"]


def test_ranks_leave_out_densities_that_fewer_methods_have() -> None:
    table = made_up()
    pattern = table[table["method"].eq("same") & table["density"].eq(0.3)].assign(density=0.5, method="pattern")
    lacking = table[~(table["method"].eq("same") & table["density"].eq(0.1))]
    assert over_densities(lacking).ranks.to_dict() == {"good": 1.0, "same": 2.0, "bad": 3.0}
    assert over_densities(lacking).blocks == 6  # at 0.3, which all have
    assert without_rank(pd.concat([table, pattern])) == ({"pattern": 6}, 18)
    assert without_rank(table) == ({}, 12)
    everywhere = pd.concat([pattern.assign(density=0.3), table])  # at a density of the others, and at no other
    assert over_densities(everywhere[everywhere["seed"] < 3]).blocks in (3, 6)
    own = over_densities(pd.concat([table, pattern]))
    assert own.ranks.to_dict() == {"good": 1.0, "same": 2.0, "bad": 3.0}
    assert own.blocks == 12
    assert over_densities(table).ranks.to_dict() == {"good": 1.0, "same": 2.0, "bad": 3.0}


def test_a_pattern_beside_a_single_density_has_no_rank() -> None:
    """It has half of the blocks, as all others have, and none in common with them."""
    table = made_up(densities=(0.1,))
    pattern = table[table["method"].eq("same")].assign(density=0.5, method="pattern")
    both = pd.concat([pattern, table])
    assert over_densities(both).ranks.to_dict() == {"good": 1.0, "same": 2.0, "bad": 3.0}
    assert over_densities(both).blocks == 6
    assert without_rank(both) == ({"pattern": 6}, 12)
    alone = made_up()[lambda rows: rows["method"].isin(["good", "dense"])]  # and two patterns, which can be compared
    patterns = [pattern, pattern.assign(method="other", accuracy=pattern["accuracy"] - 0.1)]
    assert over_densities(pd.concat([alone, *patterns])).ranks.to_dict() == {"pattern": 1.0, "other": 2.0}


def test_who_is_as_good_as_the_best() -> None:
    table = made_up()
    assert not_told_apart(table, ["good", "same", "bad"], 0.1, "s") == ["good"]
    assert not_told_apart(table, ["same", "bad"], 0.1, "s") == ["same"]
    close = pd.concat([table, table[(table["method"] == "good") & (table["check"] == "")].assign(
        method="close", accuracy=lambda rows: rows["accuracy"] - [0.002, -0.001] * 6)])  # fmt: skip
    assert not_told_apart(close, ["good", "close", "bad"], 0.1, "s") == ["good", "close"]
    assert not_told_apart(table, ["good"], 0.5, "s") == []


def test_the_frontier_is_what_nothing_dominates() -> None:
    points = {"cheap": (0.1, 0.5), "poor": (0.2, 0.4), "fair": (0.2, 0.7), "twin": (0.2, 0.7), "dear": (3.0, 0.7),
              "best": (5.0, 0.9), "same_cost": (5.0, 0.8)}  # fmt: skip
    table = pd.DataFrame([(name, *point) for name, point in points.items()], columns=["method", "cost", "accuracy"])
    for shuffled in (table, table[::-1]):
        assert sorted(frontier(shuffled)) == ["best", "cheap", "fair", "twin"]
        assert frontier(shuffled)[0] == "cheap"
        assert frontier(shuffled)[-1] == "best"
