"""Kendall's tau of errors before and after retraining: counted by hand, and by pairs."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.analysis.before_after import before_and_after, correlations
from winnow.analysis.gains import interval


def results(errors: dict[str, list[tuple[float, float]]], **columns: object) -> pd.DataFrame:
    """One row per method and seed: the error after the cut and after retraining."""
    rows = [(method, seed, before, 1 - after)
            for method, own in errors.items() for seed, (before, after) in enumerate(own)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["method", "seed", "error_after_cut", "accuracy"])
    about = {"setting": "s", "repeat": 0, "density": 0.1, "check": "", "retraining": "rewind", "channels": False}
    return table.assign(**{**about, **columns})


HAND = {
    "a": [(0.1, 0.01), (0.1, 0.02)],
    "b": [(0.2, 0.02), (0.2, 0.01)],
    "c": [(0.3, 0.05), (0.3, 0.005)],
    "d": [(0.4, 0.04), (0.4, 0.06)],
}


def test_by_hand() -> None:
    """Of the six pairs of methods only c and d turn in the first replicate. In the second a, b and c fall, and d is the
    last: three pairs turn, three do not. Between the replicates a b, a c, b c and c d turn, and a d and b d do not."""
    (row,) = correlations(before_and_after(results(HAND))).to_dict("records")
    assert (row["setting"], row["density"], row["channels"], row["methods"], row["networks"]) == ("s", 0.1, False, 4, 2)
    assert row["tau"] == pytest.approx((4 / 6 + 0) / 2)
    assert (row["low"], row["high"]) == (-1, 1)  # tau has no other values; the interval of two is wide
    assert row["of_replicates"] == pytest.approx((2 - 4) / 6)
    six = results({name: [*own, *own[:1] * 4] for name, own in HAND.items()})
    (row,) = correlations(before_and_after(six)).to_dict("records")
    assert (row["low"], row["high"]) == pytest.approx(interval(np.array([4 / 6, 0, *[4 / 6] * 4])))


def by_pairs(first: np.ndarray, second: np.ndarray) -> float:
    """Tau-b by its definition (Kendall 1945): concordant less discordant pairs, over the geometric mean of the numbers
    of pairs without a tie."""
    signs = [
        (np.sign(first[i] - first[j]), np.sign(second[i] - second[j])) for i, j in combinations(range(len(first)), 2)
    ]
    untied = np.prod([sum(abs(pair[side]) for pair in signs) for side in (0, 1)])
    return float(sum(a * b for a, b in signs) / np.sqrt(untied)) if untied else float("nan")


@given(st.integers(4, 9), st.integers(1, 4), st.integers(0, 10_000))
def test_the_mean_is_that_of_all_pairs_of_methods_with_ties(methods: int, seeds: int, number: int) -> None:
    draws = np.random.default_rng(number).integers(5, size=(methods, seeds, 2)) / 10
    table = results({f"m{row}": [tuple(pair) for pair in own] for row, own in enumerate(draws)})
    (found,) = correlations(before_and_after(table)).to_dict("records")
    # accuracies are 1 minus the errors, and equal errors stay equal
    taus = np.array([by_pairs(draws[:, seed, 0], draws[:, seed, 1]) for seed in range(seeds)])
    pairs = np.array([by_pairs(draws[:, one, 1], draws[:, other, 1]) for one, other in combinations(range(seeds), 2)])
    for key, values in (("tau", taus), ("of_replicates", pairs)):
        known = values[~np.isnan(values)]
        expected = known.mean() if len(known) else np.nan
        assert found[key] == pytest.approx(expected, nan_ok=True)


def test_only_equal_cuts_with_equal_training_are_compared() -> None:
    table = pd.concat([
        results(HAND),
        results({"shuffled": HAND["a"]}, check="shuffled"),
        results({"imp": HAND["a"]}, retraining=""),
        results({"dense": [(np.nan, 0.01)] * 2}, retraining="rewind"),
        results({"tuned": HAND["a"]}, retraining="tuned"),
        results({"sparse": HAND["a"]}, density=0.03),
        results(HAND, setting="t"),
        results({f"c{name}": own for name, own in HAND.items()}, channels=True),
    ])  # fmt: skip
    found = before_and_after(table)
    assert set(found["method"]) == {*"abcd", "ca", "cb", "cc", "cd"}
    rows = correlations(found)
    assert rows[["setting", "channels"]].to_numpy().tolist() == [["s", False], ["t", False], ["s", True]]
    assert (rows["methods"] == 4).all()


def test_a_method_that_lacks_a_replicate_does_not_count_and_equal_errors_have_no_tau() -> None:
    lacking = results({**HAND, "e": [(0.0, 0.9)]})
    assert correlations(before_and_after(lacking))["tau"].tolist() == pytest.approx([1 / 3])
    equal = results({name: [(0.9, after) for _, after in own] for name, own in HAND.items()})
    row = correlations(before_and_after(equal)).iloc[0]
    assert np.isnan([row["tau"], row["low"], row["high"]]).all()
    assert row["of_replicates"] == pytest.approx(-1 / 3)
    assert correlations(before_and_after(results({"a": HAND["a"]}))).empty
