"""Detection of wrong labels on made-up scores whose place in the ranking is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from winnow.analysis.detection import (
    auroc_at,
    detection_curves,
    detection_table,
    lists_of,
    measures,
    precision_among,
)
from winnow.scores.seed_scores import NO_EPOCH, SeedScores

WRONG = np.array([True, False, True, False, False])


def scores(*seeds: list[float], epoch: int = 4) -> SeedScores:
    return SeedScores(np.array(seeds, np.float32)[:, None], list(range(len(seeds))), [epoch])


def row(table: pd.DataFrame, **about) -> pd.Series:
    chosen = table[(table[list(about)] == pd.Series(about)).all(axis=1)]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_by_hand():
    """Ranked: wrong, right, wrong, right, right. Of the 6 pairs of a wrong and a right one, 5 are in order. Precision
    at the first wrong one is 1, at the second 2/3; among the first two it is 1/2."""
    found = measures(WRONG, np.array([9, 5, 4, 1, 0]))
    assert found["auroc"] == pytest.approx(5 / 6)
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["precision_wrong"] == 0.5
    assert np.isnan(found["precision_100"])


def test_equal_scores_share_their_places():
    """One wrong label is first; the other is among three equal ones, of which one has room in a list of two."""
    values = np.array([9, 2, 2, 2, 0.0])
    assert precision_among(WRONG, values, 2) == pytest.approx((1 + 1 / 3) / 2)
    assert precision_among(WRONG, values, 4) == precision_among(WRONG, values, 5) * 5 / 4 == 0.5
    assert np.isnan(precision_among(WRONG, values, 6))
    assert measures(WRONG, values)["auroc"] == pytest.approx((3 + 2 * 0.5 + 1) / 6)


def test_infinity_is_the_highest_score_and_no_score_has_no_place():
    found = measures(np.append(WRONG, True), np.array([np.inf, 5, 4, 1, 0, np.nan]))
    assert found == pytest.approx(measures(WRONG, np.array([9, 5, 4, 1, 0])), nan_ok=True)


def test_seeds_alone_and_together():
    """The first seed is right of all, the second wrong of all; their mean puts one right label between."""
    table = detection_table(WRONG, {"in": {"el2n": scores([9, 5, 7, 1, 0], [0, 5, 1, 5, 5])}})
    one, both = row(table, detector="el2n", seeds=1), row(table, detector="el2n", seeds=2)
    assert (one["auroc"], one["auroc_low"], one["auroc_high"]) == pytest.approx((0.5, 0.16, 0.84))
    # means 4.5 5 4 3 2.5
    assert both["auroc"] == pytest.approx(4 / 6)
    assert np.isnan(both["auroc_low"])
    assert (one["sample"], one["epoch"]) == ("in", 4)


def test_a_seed_says_nothing_of_images_that_it_has_not_trained_on():
    nan = np.nan
    table = detection_table(WRONG, {"in": {"el2n": scores([9, 5, nan, 1, nan], [nan, 5, 7, nan, 0])}})
    assert row(table, seeds=1)["auroc"] == 1
    assert row(table, seeds=2)["auroc"] == 1


def test_chance_has_a_row_of_its_own():
    wrong = np.arange(200) % 4 == 0
    table = detection_table(wrong, {"in": {}, "out": {}})
    assert len(table) == 1
    chance = row(table, detector="chance")
    assert chance["auroc"] == 0.5
    assert chance["average_precision"] == chance["precision_100"] == chance["precision_wrong"] == 0.25
    assert np.isnan(chance["precision_1000"])


def test_chance_is_what_draws_come_to():
    rng = np.random.default_rng(0)
    wrong = rng.random(5000) < 0.2
    table = detection_table(wrong, {"in": {"random": scores(*rng.random((10, 5000)), epoch=NO_EPOCH)}})
    for name in ("auroc", "average_precision", "precision_1000", "precision_wrong"):
        assert row(table, seeds=1)[name] == pytest.approx(row(table, detector="chance")[name], abs=0.02)


def test_without_wrong_labels_there_are_only_columns():
    some = {"in": {"el2n": scores([1, 2, 3, 4, 5])}}
    full, empty = detection_table(WRONG, some), detection_table(np.zeros(5, bool), some)
    assert empty.empty
    assert (full.columns == empty.columns).all()
    assert (full.dtypes == empty.dtypes).all()
    curves, none = detection_curves(WRONG, some, 4), detection_curves(np.zeros(5, bool), some, 4)
    assert none.empty
    assert (curves.dtypes == none.dtypes).all()


def test_the_curve_by_hand():
    """Half of the recall is had by one image of precision 1, all of it by three, of which two are wrong."""
    found = detection_curves(WRONG, {"out": {"el2n": scores([9, 5, 4, 1, 0])}}, 4)
    assert set(found["sample"]) == {"out"}
    assert found["recall"].tolist() == pytest.approx(np.arange(1, 21) / 20)
    assert found["precision"].tolist() == pytest.approx([1] * 10 + [2 / 3] * 10)


def test_curves_are_of_one_epoch_and_of_scores_without_one():
    every = {"el2n": scores([1, 2, 3, 4, 5]), "loss": scores([1, 2, 3, 4, 5], epoch=2)}
    every["random"] = scores([1, 2, 3, 4, 5], epoch=NO_EPOCH)
    assert set(detection_curves(WRONG, {"in": every}, 4)["detector"]) == {"el2n", "random"}


def test_auroc_at_an_epoch_is_of_all_seeds_that_trained_on_the_images():
    best, worst = [9, 0, 9, 0, 0], [0, 9, 0, 9, 9]
    both = {"in": {"el2n": scores(best, best), "random": scores(worst, epoch=NO_EPOCH)}, "out": {"el2n": scores(worst)}}
    assert auroc_at(detection_table(WRONG, both), 4) == {"el2n": 1.0}


@given(st.integers(0, 2**32 - 1), st.integers(2, 300), st.sampled_from([3, 10**6]))
def test_they_are_scikit_learns(seed, images, distinct):
    rng = np.random.default_rng(seed)
    wrong, values = np.append([True, False], rng.random(images - 2) < 0.2), rng.integers(distinct, size=images) / 7
    found = measures(wrong, values)
    assert found["auroc"] == roc_auc_score(wrong, values)
    assert found["average_precision"] == average_precision_score(wrong, values)
    right, of_lists = lists_of(wrong, values)
    precision, recall, _ = precision_recall_curve(wrong, values)
    np.testing.assert_array_equal(of_lists / (right + of_lists), precision[-2::-1])
    np.testing.assert_array_equal(of_lists / of_lists[-1], recall[-2::-1])


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 1, 2, 3, np.inf])), min_size=2, max_size=12))
def test_auroc_counts_pairs(images):
    wrong, values = np.array([image[0] for image in images]), np.array([image[1] for image in images])
    pairs = [(a > b) + 0.5 * (a == b) for a in values[wrong] for b in values[~wrong]]
    found = measures(wrong, values)["auroc"]
    assert found == pytest.approx(np.mean(pairs)) if pairs else np.isnan(found)
