import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.visits.walk import no_features, walk
from winnow.streams import numpy_stream
from winnow.training.plan import Moment
from winnow.training.visits.infobatch import infobatch


def test_by_hand():
    """Losses 0 to 9, mean 4.5: of the 5 below it int(0.6 * 5) = 3 stay, with weight 1 / 0.6."""
    plan = infobatch(10, 4, ratio=0.4, delta=0.75)
    first, second, third, last = walk(plan, 4, lambda _, rows: rows.astype(np.float32))
    assert first.rows.tolist() == list(range(10))
    assert first.weights is None
    for visits in (second, third):
        assert visits.rows[3:].tolist() == [5, 6, 7, 8, 9]
        assert set(visits.rows[:3]) < set(range(5))
        assert visits.weights is not None
        np.testing.assert_allclose(visits.weights, [1 / 0.6] * 3 + [1] * 5, rtol=1e-6)
    assert last.rows.tolist() == list(range(10))
    assert last.weights is None


def test_an_image_that_is_not_visited_keeps_its_last_loss():
    """Image 0 is the only one below the mean, so with ratio 0.5 it is dropped for good: int(0.5) = 0 are kept."""
    losses = [0.0, 1.0, 1.0, 1.0]
    visits = walk(infobatch(4, 10, delta=1.0), 6, lambda _, rows: np.array(losses, np.float32)[rows])
    assert [each.rows.tolist() for each in visits] == [[0, 1, 2, 3]] + [[1, 2, 3]] * 5


@given(st.lists(st.floats(0, 5, width=32), min_size=1, max_size=60), st.floats(0, 0.95), st.integers(0, 3))
def test_the_count_is_exact(losses, ratio, seed):
    table = np.array(losses, np.float32)
    visits = walk(infobatch(len(table), 9, ratio=ratio), 2, lambda _, rows: table[rows], seed)[1]
    below = int((table.astype(float) < table.astype(float).mean()).sum())
    assert len(visits.rows) == len(table) - below + int((1 - ratio) * below)


def test_equal_losses_drop_nothing():
    """0.1 has no exact mean: a mean in another precision could lie above all of them."""
    for visits in walk(infobatch(1001, 8), 8, lambda _, rows: np.full(len(rows), 0.1, np.float32)):
        assert len(visits.rows) == 1001
        assert visits.weights is None


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.75])
def test_the_sum_of_gradients_is_unbiased(ratio):
    """Over many draws the weighted sum of fixed gradients is the sum over all images, to within the error of a mean
    over so many draws."""
    rng = np.random.default_rng(0)
    gradients, losses = rng.normal(size=(48, 3)), np.concatenate([rng.random(32), 3 + rng.random(16)])
    assert (losses < losses.mean()).sum() == 32  # so that (1 - ratio) of them is a whole number
    plan = infobatch(48, 100, ratio=ratio, delta=1.0)
    state = plan.update(plan.begin, np.arange(48), losses.astype(np.float32))
    sums = []
    for seed in range(4000):
        visits = plan.choose(Moment(1, state, numpy_stream(seed, "visits", 1), no_features))
        sums.append((visits.weights[:, None] * gradients[visits.rows]).sum(axis=0))
    error = np.std(sums, axis=0) / np.sqrt(len(sums))
    assert (np.abs(np.mean(sums, axis=0) - gradients.sum(axis=0)) < 4 * error).all()


@pytest.mark.parametrize("epochs", [8, 10, 16, 200])
def test_the_last_eighth_of_the_epochs_visits_every_image(epochs):
    counts = [len(each.rows) for each in walk(infobatch(10, epochs), epochs, lambda _, rows: rows.astype(np.float32))]
    whole = int(epochs / 8)
    assert counts[0] == 10
    assert counts[-whole:] == [10] * whole
    assert set(counts[1:-whole]) <= {7, 10}
    assert counts[epochs - whole - 1 - (epochs % 8 != 0)] == 7
