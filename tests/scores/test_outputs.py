"""EL2N, loss and margin: the scores of one softmax output."""

from fractions import Fraction
from math import exp, isclose, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from winnow.scores.of_outputs.el2n import el2n, error_vectors
from winnow.scores.of_outputs.loss import loss
from winnow.scores.of_outputs.margin import margin

SCORES = {"el2n": el2n, "loss": loss, "margin": margin}


@st.composite
def outputs(draw):
    """log softmax float32 [n, k] and labels [n]."""
    classes, images = draw(st.integers(2, 5)), draw(st.integers(1, 5))
    logits = draw(
        st.lists(st.lists(st.floats(-80, 80), min_size=classes, max_size=classes), min_size=images, max_size=images)
    )
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=images, max_size=images))
    return log_softmax(np.array(logits), axis=1).astype(np.float32), np.array(labels)


def by_hand(probabilities: list[Fraction], label: int) -> dict[str, float]:
    """The definitions, image by image, in exact arithmetic."""
    target = [Fraction(int(k == label)) for k in range(len(probabilities))]
    squares = sum((p - y) ** 2 for p, y in zip(probabilities, target, strict=True))
    others = [p for k, p in enumerate(probabilities) if k != label]
    given = probabilities[label]
    return {"el2n": sqrt(squares), "loss": -log(given), "margin": float(max(others) - given)}


@pytest.mark.parametrize(
    ("probabilities", "label", "expected"),
    [
        # (0.7 - 1)^2 + 0.2^2 + 0.1^2 = 0.14
        ([0.7, 0.2, 0.1], 0, {"el2n": sqrt(0.14), "loss": -log(0.7), "margin": -0.5}),
        ([0.7, 0.2, 0.1], 2, {"el2n": sqrt(0.49 + 0.04 + 0.81), "loss": -log(0.1), "margin": 0.6}),
        # a guess among K classes: (1 - 1/K)^2 + (K - 1) / K^2 = 1 - 1/K
        ([0.25] * 4, 1, {"el2n": sqrt(0.75), "loss": log(4), "margin": 0.0}),
        ([0.5, 0.5], 0, {"el2n": sqrt(0.5), "loss": log(2), "margin": 0.0}),
    ],
)
def test_by_hand(probabilities, label, expected):
    log_probabilities = np.log(np.array([probabilities], np.float32))
    for name, score in SCORES.items():
        np.testing.assert_allclose(score(log_probabilities, np.array([label])), [expected[name]], rtol=1e-6, atol=1e-7)


def test_the_extremes():
    """Sure and right is 0, sure and wrong is the most there can be."""
    sure = np.array([[0, -np.inf, -np.inf]], np.float32)
    assert el2n(sure, np.array([0])) == [0]
    assert el2n(sure, np.array([1])) == [sqrt(2)]
    assert margin(sure, np.array([0])) == [-1]
    assert margin(sure, np.array([2])) == [1]
    assert loss(sure, np.array([0])) == [0]
    assert loss(sure, np.array([1])) == [np.inf]


@given(outputs())
def test_against_the_definitions(case):
    log_probabilities, labels = case
    for row, label in enumerate(labels):
        probabilities = [Fraction(exp(float(value))) for value in log_probabilities[row]]
        if probabilities[label] > 1e-30:
            expected = by_hand(probabilities, label)
            for name, score in SCORES.items():
                assert isclose(score(log_probabilities, labels)[row], expected[name], rel_tol=1e-5, abs_tol=1e-6)


@given(outputs())
def test_bounds(case):
    """Of what a network gives; rounded to float32, probabilities may sum to a little more than 1."""
    slack = 1e-6
    assert (el2n(*case) >= 0).all()
    assert (el2n(*case) <= sqrt(2) + slack).all()
    assert (np.abs(margin(*case)) <= 1 + slack).all()
    assert (loss(*case) >= 0).all()


@given(outputs())
def test_el2n_orders_two_classes_as_the_loss_does(case):
    """With two classes p - y = (q, -q), so EL2N is sqrt(2) (1 - p_y) and the margin 1 - 2 p_y."""
    log_probabilities = log_softmax(case[0][:, :2].astype(np.float64), axis=1)
    labels = np.minimum(case[1], 1)
    wrong = -np.expm1(log_probabilities[np.arange(len(labels)), labels])
    np.testing.assert_allclose(el2n(log_probabilities, labels), sqrt(2) * wrong, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(margin(log_probabilities, labels), 2 * wrong - 1, rtol=1e-9, atol=1e-12)


@given(outputs())
def test_the_other_scores_of_the_data_diets_authors(case):
    """Theirs are also the l1 norm of p - y, and the largest and the sum of p_k - p_y over the other classes k. The
    largest is the margin; the others are 2 (1 - p_y) and 1 - K p_y, so they order images as the loss does."""
    log_probabilities, labels = log_softmax(case[0].astype(np.float64), axis=1), case[1]
    images, classes = log_probabilities.shape
    given = np.eye(classes, dtype=bool)[labels]
    p = np.exp(log_probabilities)
    margins = p[~given].reshape(images, -1) - p[given].reshape(images, 1)
    np.testing.assert_allclose(margin(log_probabilities, labels), margins.max(axis=1), atol=1e-12)
    right = np.exp(-loss(log_probabilities, labels))
    np.testing.assert_allclose(np.linalg.norm(p - given, ord=1, axis=1), 2 * (1 - right), atol=1e-12)
    np.testing.assert_allclose(margins.sum(axis=1), 1 - classes * right, atol=1e-12)


@given(outputs())
def test_error_vectors_sum_to_nothing(case):
    np.testing.assert_allclose(error_vectors(*case).sum(axis=1), 0, atol=1e-15)


@pytest.mark.parametrize("gap", [20.0, 40.0, 80.0])
def test_el2n_keeps_its_digits_where_the_network_is_sure(gap):
    """With logits (gap, 0, 0), 1 - p_y is 2 e^-gap / (1 + 2 e^-gap), far below the float32 spacing around 1."""
    log_probabilities = log_softmax(np.array([[gap, 0, 0]]), axis=1).astype(np.float32)
    rest = exp(-gap) / (1 + 2 * exp(-gap))
    exact = sqrt((2 * rest) ** 2 + 2 * rest**2)
    np.testing.assert_allclose(el2n(log_probabilities, np.array([0])), [exact], rtol=1e-4)


def test_el2n_of_sure_images_as_torch_gives_them():
    """In float32, log softmax rounds to 0 from a gap of 17 on, and before that to multiples of 1e-7."""
    import torch

    gaps = torch.linspace(10, 60, 40)
    logits = torch.stack([gaps, torch.zeros(40), -torch.ones(40)], dim=1)
    exact = torch.softmax(logits.double(), dim=1).numpy()
    rest = exact[:, 1] + exact[:, 2]
    expected = np.sqrt(rest**2 + exact[:, 1] ** 2 + exact[:, 2] ** 2)
    found = el2n(torch.log_softmax(logits, dim=1).numpy(), np.zeros(40, int))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert (np.diff(found.astype(np.float32)) < 0).all()  # as they are kept: still all told apart
