"""Means, intervals and verdicts against hand computation and scipy."""

import json
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_ind

from winnow.analysis.comparison import (
    DYNAMIC,
    accuracy_bands,
    differences,
    differences_summary,
    in_words,
    over_fractions,
    summary,
    welch_interval,
)

ACCURACIES = {
    ("el2n", "0.5"): [0.90, 0.92, 0.91],
    ("el2n", "0.1"): [0.50, 0.52, 0.54],
    ("random", "0.5"): [0.80, 0.81, 0.82],
    ("random", "0.1"): [0.70, 0.72, 0.71],
    ("grand", "0.5"): [0.80, 0.84, 0.79],
    ("full", "1.0"): [0.93, 0.95, 0.94, 0.92],
}


def table(accuracies: dict[tuple[str, str], list[float]] = ACCURACIES) -> pd.DataFrame:
    rows = []
    for (method, keep), values in accuracies.items():
        for seed, value in enumerate(values):
            fraction = float(keep)
            for split, shift in (("test", 0.0), ("validation", 0.01)):
                rows.append((method, keep, fraction, int(100 * fraction), 50, 400, seed, split, value + shift))
    columns = ["method", "keep", "fraction", "images", "steps", "visits", "seed", "split", "accuracy"]
    return pd.DataFrame(rows, columns=columns)


def row(found: pd.DataFrame, method: str, keep: str, baseline: str) -> pd.Series:
    (result,) = [
        values
        for _, values in found.iterrows()
        if (values["method"], values["keep"], values["baseline"]) == (method, keep, baseline)
    ]
    return result


# Welch's interval


def test_welch_by_hand():
    """Means 2 and 6; variances 1 and 4 over 3 values each: squared errors 1/3 and 4/3, so 5/3 together, and
    (5/3)^2 / ((1/3)^2 / 2 + (4/3)^2 / 2) = 50/17 degrees of freedom."""
    low, high = welch_interval(np.array([1.0, 2, 3]), np.array([4.0, 6, 8]))
    half = t.ppf(0.975, 50 / 17) * sqrt(5 / 3)
    assert (low, high) == pytest.approx((-4 - half, -4 + half))


values = st.lists(st.floats(0, 1), min_size=2, max_size=6).filter(lambda found: np.ptp(found) > 1e-3)


@given(values, values)
def test_welch_against_its_test(one, other):
    """The interval leaves out 0 just where the test rejects at 5%; it is centred, and turns with its sides."""
    one, other = np.array(one), np.array(other)
    low, high = welch_interval(one, other)
    assert (low + high) / 2 == pytest.approx(one.mean() - other.mean(), abs=1e-12)
    assert welch_interval(other, one) == pytest.approx((-high, -low))
    p = ttest_ind(one, other, equal_var=False).pvalue
    if abs(p - 0.05) > 1e-6:
        assert (low > 0 or high < 0) == (p < 0.05)


def test_welch_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    intervals = [welch_interval(rng.normal(1, 1, size=5), rng.normal(0, 3, size=4)) for _ in range(1500)]
    covered = np.mean([low < 1 < high for low, high in intervals])
    assert abs(covered - 0.95) < 0.02


@pytest.mark.filterwarnings("error")
def test_welch_at_the_edges():
    assert np.isnan(welch_interval(np.array([0.5]), np.array([0.4, 0.6]))).all()
    assert np.isnan(welch_interval(np.array([0.4, 0.6]), np.array([0.5]))).all()
    assert welch_interval(np.array([0.5, 0.5]), np.array([0.25, 0.25, 0.25])) == (0.25, 0.25)
    low, high = welch_interval(np.array([0.5, 0.5]), np.array([0.2, 0.3]))  # one side without spread
    assert low < 0.25 < high


# Differences


def test_every_method_is_compared_with_random_of_its_size_and_with_all_data():
    found = differences(table(), "test")
    pairs = set(zip(found["method"], found["keep"], found["baseline"], strict=True))
    assert pairs == {
        ("el2n", "0.5", "random"),
        ("el2n", "0.5", "full"),
        ("el2n", "0.1", "random"),
        ("el2n", "0.1", "full"),
        ("grand", "0.5", "random"),
        ("grand", "0.5", "full"),
        ("random", "0.5", "full"),
        ("random", "0.1", "full"),
    }
    assert len(found) == 8


@pytest.mark.parametrize(
    ("method", "keep", "baseline", "difference", "verdict"),
    [
        ("el2n", "0.5", "random", 0.10, "above"),
        ("el2n", "0.1", "random", -0.19, "below"),
        ("grand", "0.5", "random", 0.0, "not told apart"),
        ("el2n", "0.5", "full", -0.025, "below"),
        ("random", "0.5", "full", -0.125, "below"),
    ],
)
def test_differences_and_verdicts(method, keep, baseline, difference, verdict):
    found = row(differences(table(), "test"), method, keep, baseline)
    assert found["difference"] == pytest.approx(difference)
    assert found["verdict"] == verdict
    other = ACCURACIES[baseline, keep if baseline == "random" else "1.0"]
    interval = ttest_ind(ACCURACIES[method, keep], other, equal_var=False).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))
    assert found["fraction"] == float(keep)


def test_a_recipe_is_compared_with_random_by_the_same_recipe():
    plain = table()
    by_kd = plain[plain["method"].isin(["el2n", "random"])]
    raised = {"el2n": 0.01, "random": 0.03}
    by_kd = by_kd.assign(method=by_kd["method"] + "+kd", accuracy=by_kd["accuracy"] + by_kd["method"].map(raised))
    found = differences(pd.concat([plain, by_kd]), "test")
    of_kd = found[found["method"].str.endswith("+kd") & (found["keep"] == "0.5")].set_index(["method", "baseline"])
    assert of_kd["difference"].to_dict() == pytest.approx(
        {
            ("el2n+kd", "random"): 0.10 - 0.02,
            ("el2n+kd", "full"): -0.025 + 0.01,
            ("el2n+kd", "plain"): 0.01,
            ("random+kd", "full"): -0.125 + 0.03,
            ("random+kd", "plain"): 0.03,
        }
    )
    pd.testing.assert_frame_equal(found[~found["method"].str.contains("+", regex=False)], differences(plain, "test"))


def test_the_splits_are_kept_apart():
    accuracy = table()
    accuracy.loc[(accuracy["split"] == "validation") & (accuracy["method"] == "el2n"), "accuracy"] = 0.0
    assert row(differences(accuracy, "test"), "el2n", "0.5", "random")["difference"] == pytest.approx(0.10)
    assert row(differences(accuracy, "validation"), "el2n", "0.5", "random")["difference"] == pytest.approx(-0.82)


def test_one_seed_tells_nothing_apart():
    found = differences(table({pair: values[:1] for pair, values in ACCURACIES.items()}), "test")
    assert found["low"].isna().all()
    assert found["high"].isna().all()
    assert set(found["verdict"]) == {"not told apart"}


def test_the_summary_of_differences_is_json():
    found = differences_summary(differences(table(), "test"))
    assert found["el2n-0.5 minus random"]["verdict"] == "above"
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    one_seed = differences(table({pair: values[:1] for pair, values in ACCURACIES.items()}), "test")
    entry = differences_summary(one_seed)["el2n-0.1 minus full"]
    assert entry["low"] is None
    assert entry["high"] is None
    assert entry["difference"] == pytest.approx(0.50 - 0.93)
    json.dumps(entry, allow_nan=False)


def test_in_words():
    lines = in_words(differences(table(), "test")).splitlines()
    assert len(lines) == 8
    assert lines[0].startswith("el2n keep 0.5: +10.00 points against random [+7.")
    assert lines[0].endswith("], above")


# Accuracies


def test_summary_by_hand():
    """Of four values the p-th percentile lies at 3 p / 100 steps from the first (linear interpolation)."""
    found = summary(accuracy_bands(table()), "test")
    assert list(found) == ["el2n-0.5", "el2n-0.1", "random-0.5", "random-0.1", "grand-0.5", "full"]
    assert found["full"] == pytest.approx(
        {
            "accuracy": 0.935,
            "low": 0.92 + 0.48 * 0.01,
            "high": 0.94 + 0.52 * 0.01,
            "images": 100,
            "steps": 50,
            "visits": 400,
            "seeds": 4,
        }
    )
    assert found["el2n-0.1"]["images"] == 10
    assert found["grand-0.5"]["accuracy"] == pytest.approx(0.81)
    assert summary(accuracy_bands(table()), "validation")["full"]["accuracy"] == pytest.approx(0.945)


def of_seeds(visits: list[int]) -> pd.DataFrame:
    """The table, and a training of three seeds that chooses as it goes."""
    rows = table({("infobatch", "0.6"): [0.91, 0.92, 0.93]}).assign(keep=DYNAMIC)
    own = rows["seed"].map(dict(enumerate(visits)))
    return pd.concat([table(), rows.assign(visits=own, steps=own // 8)], ignore_index=True)


def test_seeds_that_differ_in_visits_are_one_band():
    accuracy = of_seeds([240, 248, 264])
    found = summary(accuracy_bands(accuracy), "test")["infobatch-dynamic"]
    assert found == pytest.approx(
        {"accuracy": 0.92, "low": 0.9132, "high": 0.9268, "images": 60, "steps": 31, "visits": 251, "seeds": 3}
    )
    assert list(over_fractions(accuracy, accuracy_bands(accuracy), ["random"])["method"].unique()) == [
        *("el2n", "random", "full", "infobatch")
    ]


def test_what_chooses_as_it_goes_has_no_random_subset_to_be_compared_with():
    found = differences(of_seeds([240] * 3), "test")
    assert found[found["method"] == "infobatch"]["baseline"].tolist() == ["full"]
    assert row(found, "infobatch", DYNAMIC, "full")["difference"] == pytest.approx(0.92 - 0.935)


def test_the_band_of_normal_seeds_is_one_deviation():
    """The 16th and 84th percentile, as in the figures of the paper."""
    accuracies = {("full", "1.0"): list(np.random.default_rng(0).normal(0.5, 0.01, size=5000))}
    found = summary(accuracy_bands(table(accuracies)), "test")["full"]
    assert (found["high"] - found["low"]) / 2 == pytest.approx(0.01, rel=0.05)


def test_over_the_fraction_are_selected_methods_and_those_at_several_fractions():
    several = [(method, fraction) for method in ("random", "late") for fraction in (0.3, 0.5)]
    found = [("el2n", 0.3), *several, ("early", 0.3), ("full", 1.0)]
    bands = pd.DataFrame([(*row, str(row[1])) for row in found], columns=["method", "fraction", "keep"])
    assert over_fractions(bands, bands, ["el2n", "random"])["method"].unique().tolist() == [
        *("el2n", "random", "late", "full")
    ]
    by_recipe = pd.DataFrame({"method": ["el2n+kd", "early+kd"], "keep": "0.3"})
    assert over_fractions(by_recipe, bands, ["el2n"])["method"].tolist() == ["el2n+kd"]
    table = pd.DataFrame({"method": ["early", "late"], "keep": "0.3"})
    assert over_fractions(table, bands, {"el2n": {}, "early": {}})["method"].tolist() == ["early", "late"]
