import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.visits.walk import walk
from winnow.training.visits.rs2 import rs2


@given(st.integers(1, 40), st.floats(0.01, 1), st.integers(1, 12), st.integers(0, 5))
def test_without_replacement_every_image_is_visited_equally_often(images, keep, epochs, seed):
    visits = np.zeros(images, int)
    for each in walk(rs2(images, epochs, keep=keep), epochs, seed=seed):
        assert len(each.rows) == max(1, round(keep * images))
        assert each.weights is None
        visits[each.rows] += 1
        assert np.ptp(visits) <= 1  # at every epoch, not only at the end


@pytest.mark.parametrize("k", [1, 2, 5])
def test_at_a_kth_the_visits_are_those_of_whole_epochs(k):
    """T epochs of n / k images are T / k passes over all: every k epochs together hold every image once."""
    visits = walk(rs2(20, 10, keep=1 / k), 10)
    for first in range(0, 10, k):
        together = np.concatenate([each.rows for each in visits[first : first + k]])
        assert sorted(together) == list(range(20))


def test_the_walk_differs_from_pass_to_pass_and_from_seed_to_seed():
    one, other = (walk(rs2(40, 4, keep=0.5), 4, seed=seed) for seed in (0, 1))
    assert one[0].rows.tolist() != one[2].rows.tolist()
    assert one[0].rows.tolist() != other[0].rows.tolist()


def test_with_replacement_epochs_are_independent_draws():
    """How often two epochs share an image: hypergeometric, of mean m^2 / n."""
    shared = []
    for seed in range(300):
        first, second = walk(rs2(30, 2, keep=1 / 3, replacement=True), 2, seed=seed)
        shared.append(len(np.intersect1d(first.rows, second.rows)))
    variance = 10 * (1 / 3) * (2 / 3) * 20 / 29
    assert np.mean(shared) == pytest.approx(10 / 3, abs=4 * np.sqrt(variance / 300))
    assert max(shared) > 0  # without replacement they would share none
