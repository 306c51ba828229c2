"""Scores of a network's outputs over the epochs: the variance of logits and TDDS."""

from itertools import pairwise
from math import dist, exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax

from winnow.scores.of_trajectories.logit_variance import logit_variance
from winnow.scores.of_trajectories.tdds import tdds

SCORES = (logit_variance, tdds)
trajectories = st.tuples(st.integers(1, 24), st.integers(1, 3), st.integers(2, 4)).flatmap(
    lambda shape: hnp.arrays(np.float64, shape, elements=st.floats(-10, 10))
)  # logits [outputs, n, classes]


def as_kept(logits: np.ndarray) -> np.ndarray:
    return log_softmax(logits, axis=2).astype(np.float32)


def test_the_variance_of_two_outputs_in_closed_form():
    """One pair of classes at +-a and then at -+a: two deviations of a, squared and over 1, so 2 a^2 in two of four."""
    logits = np.array([[[3.0, -3, 0, 0]], [[-3.0, 3, 0, 0]]])
    found = logit_variance(as_kept(logits))
    np.testing.assert_allclose(found[:, 0], [0, 2 * 9 * 2 / 4], rtol=1e-5)


@given(trajectories, st.integers(0, 2**32 - 1))
def test_the_variance_is_numpys_of_the_centred_logits_whatever_is_added_to_them(logits, seed):
    moved = logits + 50 * np.random.default_rng(seed).normal(size=(*logits.shape[:2], 1))
    found = logit_variance(log_softmax(moved, axis=2))
    centred = logits - logits.mean(axis=2, keepdims=True)
    for outputs in range(2, len(logits) + 1):
        expected = centred[:outputs].var(axis=0, ddof=1).mean(axis=1)
        np.testing.assert_allclose(found[outputs - 1], expected, rtol=1e-5, atol=1e-6)


def by_definition(log_probabilities: np.ndarray, image: int, outputs: int) -> float:
    """TDDS of one image after so many outputs: every window, and the weight of each."""
    size = min(10, max(3, outputs // 2))
    p = [[exp(float(value)) for value in output[image]] for output in log_probabilities[:outputs]]
    steps = [
        sum(abs(b * (log(b + 1e-8) - log(a + 1e-8))) for a, b in zip(before, after, strict=True))
        for before, after in pairwise(p)
    ]
    windows = [steps[first : first + size - 1] for first in range(outputs - size + 1)]
    distances = [dist(window, [sum(window) / len(window)] * len(window)) for window in windows]
    last = len(distances) - 1
    return sum(0.9 * 0.1 ** (last - w) * distance for w, distance in enumerate(distances))


@given(trajectories)
def test_tdds_against_its_definition(logits):
    log_probabilities = as_kept(logits)
    found = tdds(log_probabilities)
    for outputs in range(3, len(logits) + 1):
        for image in range(logits.shape[1]):
            assert found[outputs - 1, image] == pytest.approx(
                by_definition(log_probabilities, image, outputs), abs=1e-6
            )


def test_tdds_by_hand():
    """The steps are .5 log 2 from (.25, .75) to (.5, .5) plus .5 log 1.5, and then 0: in a window of 3 outputs half of
    the first, twice, over the diagonal of the square."""
    p = np.array([[[0.25, 0.75]], [[0.5, 0.5]], [[0.5, 0.5]]])
    step = 0.5 * log(2) + 0.5 * log(1.5)
    np.testing.assert_allclose(tdds(np.log(p))[:, 0], [0, 0, 0.9 * step / 2**0.5], rtol=1e-6)


@given(trajectories, st.randoms(use_true_random=False))
def test_what_does_not_matter(logits, random):
    """An output that stays has no score; the order of the classes is nothing; images do not know of each other."""
    log_probabilities = as_kept(logits)
    classes, images = (random.sample(range(size), size) for size in (logits.shape[2], logits.shape[1]))
    for score in SCORES:
        found = score(log_probabilities)
        np.testing.assert_allclose(score(log_probabilities[:, :, classes]), found, atol=1e-5)
        np.testing.assert_allclose(score(log_probabilities[:, images]), found[:, images], atol=1e-6)
        assert (score(np.repeat(log_probabilities[:1], 5, axis=0)) < 1e-12).all()
