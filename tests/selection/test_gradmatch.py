from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls
from scipy.special import log_softmax

from winnow.selection.evidence import Given
from winnow.selection.methods import gradmatch as module
from winnow.selection.methods.gradmatch import gradmatch, match
from winnow.selection.vectors import Vectors


def plain(rows: np.ndarray) -> Vectors:
    return Vectors(None, np.asarray(rows, np.float64))


def objective(rows: np.ndarray, found: np.ndarray, weights: np.ndarray, ridge: float) -> float:
    penalty = ridge * np.mean(np.sum(rows**2, axis=1))
    return float(np.sum((weights @ rows[found] - rows.mean(axis=0)) ** 2) + penalty * np.sum(weights**2))


def test_of_orthogonal_gradients_the_largest_in_order_with_weights_by_hand():
    rows = np.diag([1.0, 4.0, 2.0, 3.0])  # the mean has a quarter of each
    found, weights = match(plain(rows), 3, 1e-9)
    assert found.tolist() == [1, 3, 2]
    np.testing.assert_allclose(weights, [0.25, 0.25, 0.25], rtol=1e-6)
    found, weights = match(plain(rows), 1, 0.4)  # the mean square is 7.5: 4 / (16 + 3)
    np.testing.assert_allclose(weights, [4 / 19])


@settings(deadline=None)
@given(st.integers(1, 14), st.integers(1, 6), st.sampled_from([1e-3, 0.1, 1.0]), st.integers(0, 999))
def test_weights_are_the_non_negative_least_squares_on_whole_gradients(images, width, ridge, seed):
    rows = np.random.default_rng(seed).normal(size=(images, width))
    found, weights = match(plain(rows), images // 2 or 1, ridge)
    assert len(set(found.tolist())) == len(found) == len(weights)
    assert (weights > 0).all()
    penalty = ridge * np.mean(np.sum(rows**2, axis=1))
    stacked = np.concatenate([rows[found].T, np.sqrt(penalty) * np.eye(len(found))])
    exact = nnls(stacked, np.concatenate([rows.mean(axis=0), np.zeros(len(found))]))[0] if len(found) else weights
    np.testing.assert_allclose(weights, exact, rtol=1e-6, atol=1e-9)


def pursued(rows: np.ndarray, count: int, ridge: float) -> list[int]:
    """Matching pursuit: the image most along what is left of the mean, then the weights of all by whole gradients."""
    chosen, left, penalty = [], rows.mean(axis=0), ridge * np.mean(np.sum(rows**2, axis=1))
    while len(chosen) < count:
        along = {j: float(rows[j] @ left) for j in range(len(rows)) if j not in chosen}
        if max(along.values()) <= 1e-9:
            break
        chosen.append(max(along, key=along.__getitem__))
        stacked = np.concatenate([rows[chosen].T, np.sqrt(penalty) * np.eye(len(chosen))])
        weights = np.linalg.lstsq(stacked, np.concatenate([rows.mean(axis=0), np.zeros(len(chosen))]), rcond=None)[0]
        left = rows.mean(axis=0) - weights @ rows[chosen]
    return chosen


@settings(deadline=None)
@given(st.integers(2, 14), st.sampled_from([1e-3, 0.1]), st.integers(0, 999))
def test_picks_are_those_of_a_plain_pursuit(images, ridge, seed):
    """Of which those leave that the last fit, of weights from 0 up, does not weigh."""
    rows = np.random.default_rng(seed).normal(size=(images, 5)) + 0.5
    count = images // 2
    expected, penalty = pursued(rows, count, ridge), ridge * np.mean(np.sum(rows**2, axis=1))
    stacked = np.concatenate([rows[expected].T, np.sqrt(penalty) * np.eye(len(expected))])
    weights = nnls(stacked, np.concatenate([rows.mean(axis=0), np.zeros(len(expected))]))[0]
    assert match(plain(rows), count, ridge)[0].tolist() == np.array(expected)[weights > 0].tolist()


@settings(deadline=None)
@given(st.integers(2, 14), st.integers(0, 999))
def test_the_residual_never_grows(images, seed):
    """With next to no ridge: what is left of the mean, as the subset grows."""
    rows = np.random.default_rng(seed).normal(size=(images, 5))
    found = [objective(rows, *match(plain(rows), count, 1e-9), 0) for count in range(1, images + 1)]
    assert found[0] <= np.sum(rows.mean(axis=0) ** 2)
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(found))


@settings(deadline=None)
@given(st.integers(2, 14), st.integers(0, 999))
def test_more_images_never_match_worse(images, seed):
    rows = np.abs(np.random.default_rng(seed).normal(size=(images, 5)))
    found = [objective(rows, *match(plain(rows), count, 0.01), 0.01) for count in range(1, images + 1)]
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in pairwise(found))


def evidence(images: int = 60, classes: int = 3, seed: int = 0) -> Given:
    rng = np.random.default_rng(seed)
    outputs = log_softmax(rng.normal(size=(images, classes)), axis=1)
    labels = rng.permutation(np.arange(images) % classes)
    return Given(labels, classes, {}, rng.normal(size=(images, 4)).astype(np.float32), outputs)


def test_gradients_are_products_of_errors_and_features():
    given_ = evidence()
    own = np.flatnonzero(given_.labels == 1)
    errors = np.exp(given_.outputs(0)) - np.eye(3)[given_.labels]
    inputs = np.concatenate([np.ones((60, 1)), given_.features(0)], axis=1)
    whole = (errors[:, :, None] * inputs[:, None, :]).reshape(60, -1)[own]  # the gradients themselves
    rows, weights = match(plain(whole), 6, 0.01)
    chosen = gradmatch(given_, 18, np.random.default_rng(0), epoch=0, ridge=0.01)
    assert chosen.weights is not None
    of_class = given_.labels[chosen.rows] == 1
    assert chosen.rows[of_class][: len(rows)].tolist() == own[rows].tolist()
    np.testing.assert_allclose(chosen.weights[of_class][: len(rows)], weights / weights.mean(), rtol=1e-4)


@pytest.mark.parametrize("size", [1, 3, 20, 60])
def test_exactly_as_many_with_weights_of_mean_1_and_a_line_about_those_drawn(size, capsys):
    chosen = gradmatch(evidence(), size, np.random.default_rng(0), epoch=0)
    assert len(set(chosen.rows.tolist())) == size
    assert chosen.weights is not None
    assert (chosen.weights > 0).all()
    assert chosen.weights.mean() == pytest.approx(1, rel=1e-6)
    printed = capsys.readouterr().out
    assert (f" of {size} images; the others are drawn at random" in printed) == (size == 20)


def test_gradients_that_cancel_leave_all_to_chance(capsys):
    outputs = np.log(np.full((4, 2), 0.5))
    features = np.array([[-1.0, 0], [-1, 0], [-1, 0], [-1, 0]], np.float32)
    features[:, 1] = [5, -5, 5, -5]
    found, _ = match(plain(np.array([[1.0, 0], [-1, 0]])), 2, 0.1)
    assert found.tolist() == []
    chosen = gradmatch(Given(np.zeros(4, np.int64), 2, {}, features, outputs), 4, np.random.default_rng(0), epoch=0)
    assert sorted(chosen.rows) == [0, 1, 2, 3]


def test_what_does_not_fit_into_memory_is_told(monkeypatch):
    monkeypatch.setattr(module, "MOST", 100)
    with pytest.raises(ValueError, match=r"^gradmatch matches at most 5 of the 20 images of a class, not 10$"):
        gradmatch(evidence(), 30, np.random.default_rng(0), epoch=0)
