"""Scores of whether the visits were right: correctness and learning time."""

import re

import numpy as np
import pytest
from hypothesis import given

from tests.scores.test_forgetting import correctness as records
from winnow.scores.of_visits.correctness import correctness
from winnow.scores.of_visits.learning_time import learning_time


def of_text(visits: str) -> np.ndarray:
    return np.array([[int(visit)] for visit in visits], np.uint8)


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ("001101111", [2, 3, 3, 3, 6, 6, 6, 6, 6]),  # learned for good at epoch 6 of 9
        ("111", [1, 1, 1]),
        ("000", [2, 3, 4]),  # never
        ("010", [2, 2, 4]),
        ("121", [1, 1, 1]),  # an epoch without a visit is as the one before
        ("1201", [1, 1, 4, 4]),
        ("221", [2, 3, 3]),
    ],
)
def test_learning_time_by_hand(visits, expected):
    assert learning_time(of_text(visits))[:, 0].tolist() == expected


@given(records)
def test_learning_time_against_a_search_in_the_text_of_the_visits(correct):
    found = learning_time(correct)
    for epoch in range(len(correct)):
        for image in range(correct.shape[1]):
            text = "".join(map(str, correct[: epoch + 1, image].tolist()))
            learned = re.search(r"1[12]*$", text)
            assert found[epoch, image] == (learned.start() + 1 if learned else len(text) + 1)


@pytest.mark.parametrize(
    ("visits", "expected"), [("0110", [0, -1 / 2, -2 / 3, -1 / 2]), ("2012", [0, 0, -1 / 2, -1 / 2]), ("1", [-1])]
)
def test_correctness_by_hand(visits, expected):
    np.testing.assert_allclose(correctness(of_text(visits))[:, 0], expected, rtol=1e-6)


@given(records)
def test_correctness_is_a_share_of_counts(correct):
    found = correctness(correct)
    for epoch in range(len(correct)):
        for image in range(correct.shape[1]):
            visits = [visit for visit in correct[: epoch + 1, image].tolist() if visit != 2]
            assert found[epoch, image] == pytest.approx(-sum(visits) / max(len(visits), 1))
