"""How networks of several seeds differ."""

from itertools import combinations
from math import log

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import jensenshannon
from scipy.special import log_softmax

from winnow.scores.of_seeds.ensemble_agreement import ensemble_agreement

networks = st.tuples(st.integers(2, 5), st.integers(1, 3), st.integers(2, 4)).flatmap(
    lambda shape: hnp.arrays(np.float64, shape, elements=st.floats(-10, 10))
)  # logits [seeds, n, classes]


def test_by_hand():
    """Networks that agree have no divergence; of three, one sure of another class than two: log 2 from each of them."""
    with np.errstate(divide="ignore"):
        sure = np.log(np.array([[[1.0, 0]], [[1.0, 0]], [[0.0, 1]]], np.float32))
    assert ensemble_agreement(sure[:2]).tolist() == [[0], [0]]
    np.testing.assert_allclose(ensemble_agreement(sure), [[log(2) / 2], [log(2) / 2], [log(2)]], rtol=1e-6)


@given(networks)
@example(np.array([[[1, 0]], [[1e-8, 0]], [[0, 0]]]))
def test_the_mean_over_the_seeds_is_scipys_divergence_over_all_pairs(logits):
    log_probabilities = log_softmax(logits, axis=2)
    p = np.exp(log_probabilities)
    with np.errstate(invalid="ignore"):  # scipy takes the root of a rounding below zero where two hardly differ
        pairs = [np.nan_to_num(jensenshannon(a, b, axis=1)) ** 2 for a, b in combinations(p, 2)]
    found = ensemble_agreement(log_probabilities)
    np.testing.assert_allclose(found.mean(axis=0), np.mean(pairs, axis=0), atol=1e-6)
    assert (found <= log(2) + 1e-6).all()


@given(networks, st.randoms(use_true_random=False))
def test_the_order_of_seeds_and_of_classes_does_not_matter(logits, random):
    log_probabilities = log_softmax(logits, axis=2)
    seeds, classes = (random.sample(range(size), size) for size in (logits.shape[0], logits.shape[2]))
    found = ensemble_agreement(log_probabilities)
    np.testing.assert_allclose(ensemble_agreement(log_probabilities[seeds]), found[seeds], atol=1e-6)
    np.testing.assert_allclose(ensemble_agreement(log_probabilities[:, :, classes]), found, atol=1e-6)


def test_a_seed_says_nothing_of_an_image_that_it_has_not_trained_on():
    log_probabilities = log_softmax(np.random.default_rng(0).normal(size=(3, 2, 4)), axis=2)
    of_two = ensemble_agreement(log_probabilities[:2, :1])
    log_probabilities[2, 0] = np.nan
    log_probabilities[1:, 1] = np.nan
    found = ensemble_agreement(log_probabilities)
    assert found[:2, 0] == pytest.approx(of_two[:, 0])
    assert np.isnan(found[2, 0])
    assert np.isnan(found[:, 1]).all()  # alone, it has nothing to be compared with
