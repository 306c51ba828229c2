"""Intervals against scipy, against hand computation, and by how often they cover the truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp, ttest_ind

from winnow.claims.intervals import difference, jackknife, mean, on_scale_of, share

VALUES = np.array([1.0, 4.0, 2.0, 7.0])
OTHERS = np.array([0.0, 1.0, 5.0])


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_of_means_against_scipy(confidence):
    of_one = ttest_1samp(VALUES, 0).confidence_interval(confidence)
    found = mean(VALUES)(confidence)
    assert (found.effect, found.low, found.high) == pytest.approx((3.5, of_one.low, of_one.high))
    of_two = ttest_ind(VALUES, OTHERS, equal_var=False).confidence_interval(confidence)
    found = difference(VALUES, OTHERS)(confidence)
    assert (found.effect, found.low, found.high) == pytest.approx((1.5, of_two.low, of_two.high))


@given(st.integers(1, 30).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_of_counts_against_scipy(counts):
    exact = binomtest(*counts).proportion_ci(0.9, "exact")
    found = share(*counts)(0.9)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert found.effect == counts[0] / counts[1]


def test_one_seed_has_no_interval():
    for estimate in (mean(VALUES[:1]), difference(VALUES[:1], OTHERS), jackknife(lambda rows: 2.0, 1)):
        assert math.isnan(estimate(0.95).low)
        assert not math.isnan(estimate(0.95).effect)


def test_seeds_without_spread_have_an_interval_of_no_width():
    found = mean(np.array([0.5, 0.5, 0.5]))(0.95)
    assert (found.low, found.high) == (0.5, 0.5)


def test_the_jackknife_of_a_mean_is_its_interval():
    found, expected = jackknife(lambda rows: VALUES[rows].mean(), 4)(0.95), mean(VALUES)(0.95)
    assert (found.effect, found.low, found.high) == pytest.approx((expected.effect, expected.low, expected.high))


def test_the_jackknife_of_a_ratio_by_hand():
    """Of (sum a) / (sum b), a = 1, 2, 6 and b = 1, 1, 2: 9/4 whole, 8/3, 7/3 and 3/2 without one."""
    a, b = np.array([1.0, 2, 6]), np.array([1.0, 1, 2])
    pseudo = 3 * 9 / 4 - 2 * np.array([8 / 3, 7 / 3, 3 / 2])
    half = 4.302653 * pseudo.std(ddof=1) / math.sqrt(3)
    found = jackknife(lambda rows: a[rows].sum() / b[rows].sum(), 3)(0.95)
    assert (found.effect, found.low, found.high) == pytest.approx((9 / 4, 9 / 4 - half, 9 / 4 + half))


def test_the_jackknife_of_a_correlation_covers_the_truth_as_often_as_it_says():
    """Of the mean over 8 seeds, each the truth with its own noise: against the same of a thousand seeds."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=200)
    other = signal + rng.normal(size=200)

    def z(values):
        return lambda rows: float(np.arctanh(np.corrcoef(values[rows].mean(axis=0), other)[0, 1]))

    many = [z(signal + rng.normal(0, 2, size=(8, 200)))(np.arange(8)) for _ in range(2000)]
    intervals = [jackknife(z(signal + rng.normal(0, 2, size=(8, 200))), 8)(0.95) for _ in range(500)]
    covered = np.mean([interval.low < np.mean(many) < interval.high for interval in intervals])
    assert 0.9 < covered < 0.99


def test_another_scale_takes_effect_and_ends_along():
    found = on_scale_of(math.exp, mean(VALUES))(0.95)
    expected = mean(VALUES)(0.95)
    assert (found.effect, found.low) == pytest.approx((math.exp(3.5), math.exp(expected.low)))
