import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.scores.of_margins.aum import aum


def test_by_hand():
    """Logits (3, 1, 0) at both visits: with label 0 the margin is 2, with label 1 it is -2, with both in turn 0."""
    assert aum(np.array([[2, -2, 2], [2, -2, -2]], np.float16)).tolist() == [[-2, 2, -2], [-2, 2, 0]]


def test_visits_that_were_not_are_passed_over():
    nan = np.nan
    assert aum(np.array([[nan, 4], [1, nan], [3, 2]])).tolist() == [[0, -4], [-1, -4], [-2, -3]]


def test_no_epoch():
    assert aum(np.zeros((0, 3), np.float16)).shape == (0, 3)


@given(st.lists(st.lists(st.just(np.nan) | st.floats(-1000, 1000), min_size=4, max_size=4), min_size=1, max_size=6))
def test_the_last_is_the_mean_of_all_visits(rows):
    margins = np.array(rows, np.float32)
    for image, found in enumerate(aum(margins)[-1]):
        of_image = [float(value) for value in margins[:, image] if not np.isnan(value)]
        assert found == pytest.approx(-sum(of_image) / max(len(of_image), 1), rel=1e-5, abs=1e-4)
