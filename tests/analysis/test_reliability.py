"""Rank correlations against scipy's, and the reliability of rankings whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from winnow.analysis import reliability as module
from winnow.analysis.reliability import (
    centred_ranks,
    correlation,
    correlation_table,
    halves_at,
    rank_correlations,
    rankings,
    reliability,
    reliability_table,
    spearman,
)
from winnow.scores.seed_scores import SeedScores

few_values = st.lists(st.sampled_from([0.0, 1.0, 2.5, -1.0, np.inf]), min_size=3, max_size=12)


@given(few_values, st.randoms(use_true_random=False))
def test_spearman_with_ties_and_infinities(values, chance):
    other = chance.sample(values, len(values))
    if len(set(values)) > 1:
        assert spearman(np.array(values), np.array(other)) == pytest.approx(
            spearmanr(values, other).statistic, abs=1e-12
        )


def test_spearman_by_hand():
    # ranks 1 2 3 4 and 2 1 4 3: 1 - 6 (1 + 1 + 1 + 1) / (4 * 15) = 0.6
    assert spearman(np.array([1, 2, 3, 40]), np.array([0.2, 0.1, 7, 0.3])) == pytest.approx(0.6)


def test_spearman_is_over_the_images_that_have_both():
    nan = np.nan
    a, b = np.array([1, nan, 2, 3, 40, 5]), np.array([0.2, 0, 0.1, 7, 0.3, nan])
    assert spearman(a, b) == pytest.approx(0.6)
    assert np.isnan(spearman(a, np.full(6, nan)))


def test_spearman_sees_the_order_only():
    values = np.random.default_rng(0).random(20)
    assert spearman(values, np.exp(5 * values)) == pytest.approx(1)
    assert spearman(values, -values) == pytest.approx(-1)


@pytest.mark.filterwarnings("error")
def test_a_constant_score_has_no_correlation():
    assert np.isnan(spearman(np.ones(3), np.arange(3)))
    matrix = rank_correlations(np.array([[1.0, 1, 1], [1, 2, 3], [3, 2, 1]]))
    assert np.isnan(matrix[0]).all()
    assert np.isnan(matrix[:, 0]).all()
    np.testing.assert_allclose(matrix[1:, 1:], [[1, -1], [-1, 1]])


def test_all_pairs_at_once():
    scores = np.random.default_rng(0).integers(5, size=(4, 30)).astype(float)
    np.testing.assert_allclose(rank_correlations(scores), spearmanr(scores, axis=1).statistic, atol=1e-12)


@given(few_values)
def test_ranks_with_ties_and_infinities(values):
    np.testing.assert_array_equal(centred_ranks(np.array(values)), rankdata(values) - (len(values) + 1) / 2)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_remembered_ranking_correlates_as_a_new_one(seed, missing):
    rng = np.random.default_rng(seed)
    values = rng.integers(4, size=(2, 5, 30)).astype(np.float32)
    if missing:  # in either of them, an image that no seed of the first group has trained on
        values[rng.integers(2), :2, 7] = np.nan
    ours, theirs = map(rankings, values)
    for a, b in [([0, 1], [0, 1]), ([2, 3, 4], [1, 0]), ([0, 1], [0, 1])]:
        expected = spearman(values[0, a].mean(axis=0), values[1, b].mean(axis=0))
        np.testing.assert_allclose(correlation(ours(a), theirs(b)), expected, rtol=1e-12)


def test_a_group_is_ranked_once(monkeypatch):
    ranked = []
    monkeypatch.setattr(module, "centred_ranks", lambda values: ranked.append(values) or centred_ranks(values))
    reliability(noisy(2, noise=1), splits=20, seed=0)
    assert len(ranked) == 2


def test_the_table_of_correlations():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"id": list("abcdef"), "label": [0] * 6})
    table["el2n_epoch4_mean"], table["el2n_epoch4_stderr"] = rng.random(6), rng.random(6)
    table["input_norm_mean"] = rng.random(6)
    found = correlation_table(table).set_index(["score_a", "epoch_a", "score_b", "epoch_b"])["spearman"]
    assert len(found) == 4
    expected = spearmanr(table["el2n_epoch4_mean"], table["input_norm_mean"]).statistic
    assert found["el2n", 4, "input_norm", -1] == pytest.approx(expected)
    assert found["input_norm", -1, "el2n", 4] == pytest.approx(expected)
    assert found["el2n", 4, "el2n", 4] == pytest.approx(1)


def noisy(seeds: int, noise: float, images: int = 400) -> SeedScores:
    """A true score of variance 1, seen by every seed with noise of its own."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=images)
    return SeedScores((truth + noise * rng.normal(size=(seeds, 1, images))).astype(np.float32), list(range(seeds)), [3])


def test_seeds_that_agree_are_fully_reliable():
    found = reliability(noisy(6, noise=0), splits=4, seed=0)
    assert found["seeds"].tolist() == [1, 2, 3]
    assert found["epoch"].tolist() == [3, 3, 3]
    np.testing.assert_allclose(found[["spearman", "low", "high"]], 1)


def test_seeds_that_have_nothing_in_common_are_not_reliable():
    values = np.random.default_rng(0).random((8, 1, 2000), np.float32)
    found = reliability(SeedScores(values, list(range(8)), [0]), splits=10, seed=0)
    assert (found["spearman"].abs() < 0.05).all()


def test_reliability_grows_with_seeds_as_spearman_and_brown_say():
    """r_m = m r / (1 + (m - 1) r) for the mean of m parallel measurements (Spearman 1910, Brown 1910)."""
    found = reliability(noisy(12, noise=1.5, images=4000), splits=30, seed=0)
    assert (np.diff(found["spearman"]) > 0).all()
    one = 1 / (1 + 1.5**2)
    expected = [m * one / (1 + (m - 1) * one) for m in found["seeds"]]
    # the rank correlation of two normal variables with correlation r is 6/pi asin(r/2)
    np.testing.assert_allclose(found["spearman"], 6 / np.pi * np.arcsin(np.array(expected) / 2), atol=0.03)


def test_the_groups_are_disjoint():
    """Where one seed alone has the signal, two groups can only agree if they share it."""
    values = np.random.default_rng(0).normal(size=(2, 1, 3000)).astype(np.float32) * np.array([1e6, 1])[:, None, None]
    found = reliability(SeedScores(values, [0, 1], [0]), splits=20, seed=0)
    assert found["seeds"].tolist() == [1]
    assert abs(found["spearman"][0]) < 0.06


def test_two_seeds_give_one_correlation():
    scores = noisy(2, noise=1)
    found = reliability(scores, splits=5, seed=0)
    expected = spearmanr(*scores.values[:, 0]).statistic
    np.testing.assert_allclose(found[["spearman", "low", "high"]], [[expected] * 3])


def test_the_splits_belong_to_the_seed():
    scores = noisy(9, noise=1)
    pd.testing.assert_frame_equal(reliability(scores, 5, seed=1), reliability(scores, 5, seed=1))
    assert not reliability(scores, 5, seed=1).equals(reliability(scores, 5, seed=2))


def test_one_seed_and_constant_scores_have_no_reliability():
    assert reliability(noisy(1, noise=1), splits=5, seed=0).empty
    constant = SeedScores(np.ones((4, 1, 9), np.float32), [0, 1, 2, 3], [0])
    assert reliability(constant, splits=5, seed=0).empty


def test_the_largest_groups_count():
    table = reliability_table({"el2n": noisy(6, noise=1), "grand": noisy(4, noise=1)}, splits=3, seed=0)
    assert list(table) == ["score", "epoch", "seeds", "spearman", "low", "high"]
    found = halves_at(table, epoch=3)
    rows = table.set_index(["score", "seeds"])["spearman"]
    assert found == {"el2n": rows["el2n", 3], "grand": rows["grand", 2]}
    assert halves_at(table, epoch=4) == {}
