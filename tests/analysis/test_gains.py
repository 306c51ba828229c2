import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from winnow.analysis.gains import gains, interval, over_all, regimes


def results() -> pd.DataFrame:
    """By hand: three methods at two keeps in one setting, two repeats with two seeds each; and all data."""
    accuracy = {
        ("random", "0.1"): (0.50, 0.52, 0.54, 0.56),
        ("good", "0.1"): (0.60, 0.62, 0.65, 0.65),
        ("bad", "0.1"): (0.40, 0.45, 0.44, 0.43),
        ("random", "0.5"): (0.80, 0.81, 0.82, 0.83),
        ("good", "0.5"): (0.80, 0.82, 0.81, 0.83),
        ("bad", "0.5"): (0.90, 0.92, 0.92, 0.93),
        ("full", "1.0"): (0.99, 0.98, 0.97, 0.96),
    }
    rows = [
        ("clean", place // 2, method, keep, float(keep), round(1000 * float(keep)), 100 + place % 2 + place // 2 * 1000,
         value, value - 0.1, {"good": 0.02, "bad": 0.3}.get(method, 0.2))
        for (method, keep), values in accuracy.items()
        for place, value in enumerate(values)
    ]  # fmt: skip
    columns = ["setting", "repeat", "method", "keep", "fraction", "images", "seed", "accuracy", "worst_class",
               "wrong_kept"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def test_the_gain_is_over_the_random_network_of_the_same_repeat_and_seed() -> None:
    shuffled = results().sample(frac=1, random_state=0)
    found = gains(shuffled).set_index(["method", "keep"])
    assert ("full", "1.0") not in found.index
    good = found.loc["good", "0.1"]
    assert good["gain"] == pytest.approx(np.mean([0.10, 0.10, 0.11, 0.09]))
    assert good["worst_class_gain"] == pytest.approx(good["gain"])
    assert (good["networks"], good["images"], good["wrong_kept"]) == (4, 100, pytest.approx(0.02))
    assert found["verdict"].to_dict() == {
        ("random", "0.1"): "not told apart",
        ("good", "0.1"): "above",
        ("bad", "0.1"): "below",
        ("random", "0.5"): "not told apart",
        ("good", "0.5"): "not told apart",
        ("bad", "0.5"): "above",
    }
    assert found.loc["random", "0.1"]["gain"] == 0


def test_the_interval_is_that_of_scipy() -> None:
    values = np.array([0.1, 0.3, 0.25, -0.1])
    theirs = ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval(values) == pytest.approx((theirs.low, theirs.high))
    assert np.isnan(interval(values[:1])).all()


def test_ranks_over_networks_and_over_means() -> None:
    found = over_all(results())
    assert found.blocks == 8
    # at 0.1: good, random, bad in all four; at 0.5: bad first, random and good 2.5 each, 3 and 2, 2 and 3, 2.5 each
    assert found.ranks.to_dict() == {"good": 1.75, "bad": 2.0, "random": 2.25}
    assert over_all(results(), ["setting", "keep"]).blocks == 2


def test_the_regimes_are_few_and_many_images_of_every_setting() -> None:
    table = results()
    few, many = regimes(table, gains(table))
    assert (few.few, few.keeps, many.few, many.keeps) == (True, ["0.1"], False, ["0.5"])
    assert few.table.index.tolist() == ["good", "random", "bad"]
    assert few.table["above"].tolist() == [1, 0, 0]
    assert few.table["below"].tolist() == [0, 0, 1]
    assert few.best == ["good", "random"]  # Nemenyi's difference of 3 methods over 4 comparisons is 1.66 ranks
    assert many.best[0] == "bad"
