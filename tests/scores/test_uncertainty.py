"""Entropy, least confidence and margin uncertainty: what a network does not know, whatever the label."""

from math import exp, log, log1p

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from tests.scores.test_outputs import outputs
from winnow.scores.of_outputs.entropy import entropy
from winnow.scores.of_outputs.least_confidence import least_confidence
from winnow.scores.of_outputs.margin_uncertainty import margin_uncertainty

SCORES = (entropy, least_confidence, margin_uncertainty)


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ([0.25] * 4, (log(4), 0.75, 1)),
        ([0, 1, 0], (0, 0, 0)),
        ([0.5, 0.25, 0.25], (1.5 * log(2), 0.5, 0.75)),
        ([0.5, 0, 0.5], (log(2), 0.5, 1)),
    ],
)
def test_by_hand(probabilities, expected):
    with np.errstate(divide="ignore"):
        log_probabilities = np.log(np.array([probabilities], np.float32))
    for score, value in zip(SCORES, expected, strict=True):
        np.testing.assert_allclose(score(log_probabilities, np.array([0])), [value], rtol=1e-6, atol=1e-12)


@given(outputs())
def test_entropy_is_scipys(case):
    np.testing.assert_allclose(entropy(*case), scipy.stats.entropy(np.exp(case[0].astype(float)), axis=1), atol=1e-5)


@given(outputs())
def test_the_two_largest_as_plain_python_finds_them(case):
    ordered = [sorted((exp(value) for value in row.tolist()), reverse=True) for row in case[0]]
    np.testing.assert_allclose(least_confidence(*case), [1 - first for first, *_ in ordered], atol=1e-5)
    expected = [1 - (first - second) for first, second, *_ in ordered]
    np.testing.assert_allclose(margin_uncertainty(*case), expected, atol=1e-5)


@given(outputs(), st.randoms(use_true_random=False))
def test_neither_labels_nor_the_order_of_classes_matter(case, random):
    log_probabilities, labels = case
    order = random.sample(range(log_probabilities.shape[1]), log_probabilities.shape[1])
    for score in SCORES:
        moved = score(log_probabilities[:, order], np.zeros_like(labels))
        np.testing.assert_allclose(moved, score(log_probabilities, labels), atol=1e-12)


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=8, unique=True))
def test_with_two_classes_all_rank_alike(gaps):
    log_probabilities = log_softmax(np.array([[gap, 0] for gap in gaps]), axis=1)
    nearness = -np.abs(gaps)
    for score in SCORES:
        found = score(log_probabilities, np.zeros(len(gaps), int))
        assert (np.diff(found[np.argsort(nearness)]) >= -1e-12).all()


def test_sure_images_are_still_told_apart():
    """With logits (gap, 0), 1 - p_1 is 1 / (1 + e^gap), far below the spacing of float32 around 1."""
    gaps = np.array([20.0, 30, 40])
    log_probabilities = log_softmax(np.stack([gaps, 0 * gaps], axis=1), axis=1).astype(np.float32)
    rest = [exp(-log1p(exp(gap))) for gap in gaps]
    np.testing.assert_allclose(least_confidence(log_probabilities, np.zeros(3, int)), rest, rtol=1e-4)
    np.testing.assert_allclose(margin_uncertainty(log_probabilities, np.zeros(3, int)), 2 * np.array(rest), rtol=1e-4)
