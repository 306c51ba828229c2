"""Rank correlations with other networks, of scores whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from winnow.analysis.reliability import reliability_table
from winnow.analysis.transfer import transfer_table
from winnow.scores.seed_scores import SeedScores

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=4000)


def noisy(seeds: int, truth: np.ndarray = TRUTH, epochs: tuple[int, ...] = (0, 4), noise: float = 1.5) -> SeedScores:
    """A true score of variance 1, seen by every seed with noise of its own."""
    values = truth + noise * RNG.normal(size=(seeds, len(epochs), len(truth)))
    return SeedScores(values.astype(np.float32), list(range(seeds)), list(epochs))


def table_of(ours: SeedScores, theirs: SeedScores, splits: int = 20) -> pd.DataFrame:
    return transfer_table(
        {"el2n": ours}, {"x": {"el2n": theirs}}, reliability_table({"el2n": ours}, splits, 0), splits, 0
    )


def test_a_ranking_that_belongs_to_the_data_reaches_the_ceiling():
    found = table_of(noisy(8), noisy(4))
    assert found[["source", "score", "epoch", "seeds"]].values.tolist() == [["x", "el2n", 0, 4], ["x", "el2n", 4, 4]]
    # the correlation of two means of m = 4 parallel measurements (Spearman 1910, Brown 1910), as a rank correlation
    one = 1 / (1 + 1.5**2)
    expected = 6 / np.pi * np.arcsin(4 * one / (1 + 3 * one) / 2)
    np.testing.assert_allclose(found[["spearman", "ceiling"]], expected, atol=0.03)
    assert (found["low"] <= found["spearman"]).all()
    assert (found["spearman"] <= found["high"]).all()


def test_another_ranking_stays_far_below_it():
    found = table_of(noisy(8), noisy(4, RNG.permutation(TRUTH)))
    assert (found["spearman"].abs() < 0.05).all()
    assert (found["ceiling"] > 0.5).all()


def test_a_single_pair_by_scipy():
    ours, theirs = noisy(1), noisy(1, epochs=(4,))
    found = table_of(ours, theirs)
    assert found["epoch"].tolist() == [4]
    expected = spearmanr(ours.values[0, 1], theirs.values[0, 0]).statistic
    np.testing.assert_allclose(found[["spearman", "low", "high"]], [[expected] * 3])
    assert found["ceiling"].isna().all()  # a single seed has no halves


@pytest.mark.parametrize(("ours", "theirs", "seeds"), [(10, 3, 3), (4, 7, 2), (2, 3, 1), (5, 1, 1)])
def test_either_side_is_a_mean_over_as_many_seeds_as_the_ceiling(ours, theirs, seeds):
    found = table_of(noisy(ours, TRUTH[:50]), noisy(theirs, TRUTH[:50]), splits=3)
    assert set(found["seeds"]) == {seeds}
    assert found["ceiling"].notna().all()


def test_without_sources_there_is_a_table_without_rows():
    scores = {"el2n": noisy(4)}
    found = transfer_table(scores, {}, reliability_table(scores, 2, 0), 2, 0)
    assert found.empty
    assert list(found) == [
        *("source", "score", "epoch", "seeds", "spearman", "low", "high", "ceiling", "ceiling_low", "ceiling_high"),
    ]


@pytest.mark.filterwarnings("error")
def test_a_constant_score_has_no_row():
    theirs = noisy(2)
    theirs.values[:, 0] = 1
    assert table_of(noisy(4), theirs, splits=2)["epoch"].tolist() == [4]
