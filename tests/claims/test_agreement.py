"""Agreement of rankings, against scipy and against a jackknife written out."""

import numpy as np
import pytest
from scipy.stats import spearmanr, t

from winnow.claims.agreement import agreement, agreement_table
from winnow.scores.seed_scores import NO_EPOCH, SeedScores

RANDOM = np.random.default_rng(5)
TRUTH = RANDOM.normal(size=200)
A, B = (TRUTH + RANDOM.normal(0, noise, (5, 200)) for noise in (1.0, 2.0))


def test_it_is_the_rank_correlation_of_the_means_with_the_interval_of_a_plain_jackknife():
    def z(rows: list[int]) -> float:
        return float(np.arctanh(spearmanr(A[rows].mean(axis=0), B[rows].mean(axis=0)).statistic))

    whole = z([0, 1, 2, 3, 4])
    pseudo = [5 * whole - 4 * z([row for row in range(5) if row != left_out]) for left_out in range(5)]
    half = t.ppf(0.975, 4) * np.std(pseudo, ddof=1) / np.sqrt(5)
    found = agreement(A, B)(0.95)
    assert found.effect == pytest.approx(np.tanh(whole))
    assert (found.low, found.high) == pytest.approx((np.tanh(whole - half), np.tanh(whole + half)))


def test_an_image_counts_by_the_seeds_that_have_trained_on_it():
    left_out = A.copy()
    left_out[0, :50] = left_out[3, 120:] = np.nan
    mean = np.nanmean(left_out, axis=0)
    assert agreement(left_out, B)(0.95).effect == pytest.approx(spearmanr(mean, B.mean(axis=0)).statistic)


def test_images_never_learned_are_forgotten_most():
    forgotten = np.where(TRUTH > 1, np.inf, np.round(TRUTH))[None]
    ranks = np.where(TRUTH > 1, 99, np.round(TRUTH))
    found = agreement(A[:1], forgotten)(0.95)
    assert found.effect == pytest.approx(spearmanr(A[0], ranks).statistic)
    assert np.isnan([found.low, found.high]).all()  # one seed has no spread


def seed_scores(*epochs: np.ndarray, names: list[int]) -> SeedScores:
    return SeedScores(np.stack(epochs, axis=1).astype(np.float32), list(range(len(epochs[0]))), names)


def test_every_score_is_compared_with_the_last_forgetting_and_with_the_input():
    scores = {
        "el2n": seed_scores(A, B, names=[0, 4]),
        "forgetting": seed_scores(A, B, names=[2, 4]),
        "input_norm": seed_scores(np.repeat(TRUTH[None], 5, axis=0), names=[NO_EPOCH]),
        "flat": seed_scores(np.ones((5, 200)), names=[4]),
    }
    table = agreement_table(scores).set_index(["reference", "reference_epoch", "score", "epoch"])
    with_forgetting, with_input = [("el2n", 0), ("el2n", 4), ("forgetting", 2)], [("forgetting", 4)]
    assert table.index.tolist() == [
        *(("forgetting", 4, *one) for one in [*with_forgetting, ("input_norm", -1)]),
        *(("input_norm", -1, *one) for one in [*with_forgetting, *with_input]),
    ]
    assert table.at[("forgetting", 4, "el2n", 4), "spearman"] == pytest.approx(1, abs=1e-5)
    expected = spearmanr(A.mean(axis=0), TRUTH).statistic
    assert table.at[("input_norm", -1, "el2n", 0), "spearman"] == pytest.approx(expected, abs=1e-4)
    assert set(table["seeds"]) == {5}
    assert ((table["low"] <= table["spearman"]) & (table["spearman"] <= table["high"])).all()
    assert agreement_table({"el2n": scores["el2n"]}).empty


def test_seeds_go_together_that_have_both_scores():
    """A score may come from some of the seeds, in another order, or from more seeds than the reference has."""
    few = SeedScores(A[[3, 1], None].astype(np.float32), [3, 1], [4])
    many = SeedScores(np.concatenate([A, B])[:, None].astype(np.float32), list(range(10, 20)), [4])
    table = agreement_table({"forgetting": seed_scores(B, names=[4]), "few": few, "many": many}).set_index("score")
    expected = spearmanr(A[[3, 1]].mean(axis=0), B[[3, 1]].mean(axis=0)).statistic
    assert table.at["few", "spearman"] == pytest.approx(expected, abs=1e-4)
    assert table["seeds"].to_dict() == {"few": 2, "many": 5}
