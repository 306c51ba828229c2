"""ucb and epsilon_greedy."""

import numpy as np
import pytest

from tests.training.visits.walk import no_features, walk
from winnow.training.plan import Moment
from winnow.training.visits._means import averaged, unknown
from winnow.training.visits.epsilon_greedy import epsilon_greedy
from winnow.training.visits.rs2 import rs2
from winnow.training.visits.ucb import ucb

TABLE = np.random.default_rng(0).random(20).astype(np.float32)


ALL = np.arange(3)


def fixed(_epoch: int, rows: np.ndarray) -> np.ndarray:
    return TABLE[rows]


def test_moving_means_by_hand():
    """a = 0.5. The first loss 2: mean 2, variance 0. Then 4: variance 0.5 * (4 - 2)^2 = 2, mean 3. Then 1: variance
    0.5 * 2 + 0.5 * (1 - 3)^2 = 3, mean 2."""
    state = unknown(3)
    for loss, mean, variance in ((2, 2, 0), (4, 3, 2), (1, 2, 3)):
        state = averaged(state, np.array([1]), np.array([loss], np.float32), 0.5)
        assert state["mean"].tolist() == [np.inf, mean, np.inf]
        assert state["variance"].tolist() == [0, variance, 0]


def test_without_confidence_ucb_is_greedy():
    one, other = (
        walk(plan, 8, fixed)
        for plan in (ucb(20, 8, keep=0.25, confidence=0.0), epsilon_greedy(20, 8, keep=0.25, epsilon=0.0))
    )
    best = sorted(np.argsort(-TABLE)[:5].tolist())
    for visits in (one, other):
        seen = np.concatenate([each.rows for each in visits[:4]])
        assert sorted(seen.tolist()) == list(range(20))  # every image once before any twice
        assert all(each.rows.tolist() == best for each in visits[4:])


def test_confidence_prefers_what_changes():
    """Image 0 gives 1, then 3: with a = 0.5 its mean is 2, its variance 2. The others give 2.9 always."""

    def losses(epoch: int, rows: np.ndarray) -> np.ndarray:
        return np.where(rows == 0, 1 + 2 * (epoch % 2), 2.9).astype(np.float32)

    often = []
    for confidence in (10.0, 0.0):
        plan = ucb(3, 20, keep=0.4, smoothing=0.5, confidence=confidence)
        state = averaged(averaged(unknown(3), ALL, losses(0, ALL), 0.5), ALL, losses(1, ALL), 0.5)
        moment = Moment(2, state | {"chosen": np.zeros(3, bool)}, np.random.default_rng(0), no_features)
        often.append(plan.choose(moment).rows.tolist())
    assert often[0] == [0]
    assert often[1] in ([1], [2])


@pytest.mark.parametrize("seed", [0, 1])
def test_epsilon_1_is_rs2_with_replacement(seed):
    greedy = walk(epsilon_greedy(20, 6, keep=0.3, epsilon=1.0), 6, fixed, seed)
    random = walk(rs2(20, 6, keep=0.3, replacement=True), 6, fixed, seed)
    assert [each.rows.tolist() for each in greedy] == [each.rows.tolist() for each in random]


def test_epsilon_explores_a_share():
    """All but one image have a loss; of 10 chosen 4 are at random, so 6 are the best."""
    visits = walk(epsilon_greedy(20, 30, keep=0.5, epsilon=0.4), 30, fixed)
    best = set(np.argsort(-TABLE)[:6].tolist())
    rest = np.zeros(20)
    for each in visits[10:]:
        assert len(each.rows) == 10
        assert best <= set(each.rows.tolist())
        rest[each.rows] += 1
    others = np.delete(rest, list(best))
    assert (others > 0).all()
    assert others.sum() == 4 * 20


@pytest.mark.parametrize("method", [ucb, epsilon_greedy])
def test_a_choice_holds_for_an_interval(method):
    rows = [each.rows.tolist() for each in walk(method(20, 9, keep=0.3, interval=3), 9, fixed)]
    assert rows[0] == rows[1] == rows[2] != rows[3] == rows[4] == rows[5] != rows[6] == rows[7] == rows[8]


def test_permuted_images_give_the_permuted_choice():
    """After every image was visited, where the values are distinct and nothing is drawn."""
    order = np.random.default_rng(1).permutation(20)
    here = walk(ucb(20, 6, keep=0.5), 6, fixed)[-1]
    there = walk(ucb(20, 6, keep=0.5), 6, lambda _, rows: TABLE[order[rows]])[-1]
    assert sorted(order[there.rows].tolist()) == here.rows.tolist()
