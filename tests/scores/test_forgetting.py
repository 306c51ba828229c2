from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from winnow.scores.of_visits.forgetting import forgetting

correctness = hnp.arrays(np.uint8, st.tuples(st.integers(0, 8), st.integers(1, 4)), elements=st.integers(0, 2))
NEVER = np.inf


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ("1", [0]),
        ("0", [NEVER]),
        ("10", [0, 1]),
        ("01", [NEVER, 0]),
        ("000", [NEVER, NEVER, NEVER]),
        ("10101", [0, 1, 1, 2, 2]),
        ("1100", [0, 0, 1, 1]),  # wrong twice is forgotten once
        ("120", [0, 0, 1]),  # between two visits there may be an epoch without one
        ("021", [NEVER, NEVER, 0]),
        ("22", [NEVER, NEVER]),
        ("0101", [NEVER, 0, 1, 1]),
    ],
)
def test_by_hand(visits, expected):
    counts = forgetting(np.array([[int(visit)] for visit in visits], np.uint8))
    assert counts[:, 0].tolist() == expected
    assert counts.dtype == np.float32


@given(correctness)
def test_against_the_definition(correct):
    counts = forgetting(correct)
    for epoch in range(len(correct)):
        for image in range(correct.shape[1]):
            visits = [visit for visit in correct[: epoch + 1, image].tolist() if visit != 2]
            events = "".join(map(str, visits)).count("10")
            assert counts[epoch, image] == (events if 1 in visits else NEVER)


@given(correctness)
def test_once_learned_the_count_only_rises_by_at_most_one(correct):
    counts = forgetting(correct)
    for before, after in pairwise(counts):
        learned = np.isfinite(before)
        assert np.isfinite(after[learned]).all()
        assert np.isin(after[learned] - before[learned], [0, 1]).all()
        assert np.isin(after[~learned], [0, NEVER]).all()


def test_no_epoch_gives_no_count():
    assert forgetting(np.zeros((0, 3), np.uint8)).shape == (0, 3)
