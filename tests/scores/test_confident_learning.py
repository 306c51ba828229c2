"""Confident learning against cases worked out by hand, and a plain loop over the paper's equations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from winnow.scores.of_outputs.confident_learning import confident_classes, confident_learning


def test_by_hand():
    """Thresholds: (0.9 + 0.2) / 2 = 0.55 and (0.9 + 0.7) / 2 = 0.8. The second image, labelled 0, is confident in
    class 1 (0.8); the last in none (0.3 and 0.7)."""
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]])
    labels = np.array([0, 0, 1, 1])
    assert confident_classes(p, labels).tolist() == [0, 1, 1, -1]
    # (1 + p_other - p_given) / 2, and 1 more for the second
    np.testing.assert_allclose(confident_learning(np.log(p), labels), [0.1, 1.8, 0.1, 0.3])


def test_of_several_confident_classes_the_most_probable_counts():
    """Thresholds: 0.4, 0.3 and 0.2; the last image reaches all three."""
    p = np.array([[0.4, 0.4, 0.2], [0.3, 0.3, 0.4], [0.7, 0.1, 0.2], [0.4, 0.3, 0.3]])
    labels = np.array([0, 1, 2, 0])
    assert confident_classes(p, labels).tolist() == [0, 2, 0, 0]


def test_nothing_is_confident_in_a_class_without_images():
    p = np.array([[0.1, 0.9, 0.0], [0.2, 0.2, 0.6]])
    assert confident_classes(p, np.array([0, 0])).tolist() == [-1, 0]


def test_the_thresholds_make_up_for_a_class_that_networks_doubt():
    """Class 1 never has more than 0.4, yet the first image is confident in it: it has as much as those labelled so."""
    p = np.array([[0.6, 0.4], [0.95, 0.05], [0.6, 0.4], [0.7, 0.3]])
    labels = np.array([0, 0, 1, 1])
    assert confident_classes(p, labels).tolist() == [1, 0, 1, -1]


def test_a_probability_equal_to_the_threshold_but_for_rounding_reaches_it():
    p = np.full((7, 3), 1 / 3)
    p[:, 2] = 0.1
    assert (confident_classes(p, np.array([0, 0, 0, 0, 0, 0, 1])) == 0).all()


@st.composite
def cases(draw):
    n, classes = draw(st.integers(1, 12)), draw(st.integers(2, 4))
    raw = draw(arrays(np.float64, (n, classes), elements=st.floats(0.01, 1)))
    labels = draw(arrays(np.int64, n, elements=st.integers(0, classes - 1)))
    return raw / raw.sum(axis=1, keepdims=True), labels


@given(cases())
def test_against_the_equations_image_by_image(case):
    p, labels = case
    found = confident_classes(p, labels)
    for image, confident in enumerate(found):
        reached = {}
        for k in range(p.shape[1]):
            own = [p[i, k] for i in range(len(p)) if labels[i] == k]
            if own and p[image, k] >= sum(own) / len(own) - 1e-6:
                reached[k] = p[image, k]
        assert confident == max(reached, key=lambda k: reached[k], default=-1)


@given(cases())
def test_issues_are_above_all_others_and_ordered_by_the_margin(case):
    p, labels = case
    scores, confident = confident_learning(np.log(p), labels), confident_classes(p, labels)
    issue = (confident >= 0) & (confident != labels)
    assert (scores[issue] >= 1).all()
    assert (scores[~issue] <= 1).all()
    given = p[np.arange(len(p)), labels]
    others = np.where(np.arange(p.shape[1]) == labels[:, None], -1, p).max(axis=1)
    assert scores - issue == pytest.approx((1 + others - given) / 2)


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_images_and_the_names_of_classes_have_no_part_in_it(case, chance):
    p, labels = case
    rows = np.array(chance.sample(range(len(p)), len(p)))
    found = confident_learning(np.log(p), labels)
    np.testing.assert_allclose(confident_learning(np.log(p[rows]), labels[rows]), found[rows])
    renamed = confident_learning(np.log(p[:, ::-1]), p.shape[1] - 1 - labels)
    distinct = np.array([len(set(row.round(9))) == len(row) for row in p])  # else ties go by the class's number
    np.testing.assert_allclose(renamed[distinct], found[distinct])
