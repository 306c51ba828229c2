from math import log

import numpy as np
import pytest

from winnow.selection.evidence import Given
from winnow.selection.methods.adaptive_score import adaptive_score, entropy


def chosen(scores, size: int, labels=None, **options) -> np.ndarray:
    count = len(next(iter(scores.values())))
    labels = np.zeros(count, np.int64) if labels is None else labels
    evidence = Given(labels, int(labels.max()) + 1, scores)
    options = {"scores": list(scores), **options}
    return adaptive_score(evidence, size, np.random.default_rng(0), epoch=0, **options).rows


def test_entropy_by_hand():
    assert entropy(np.ones(7), 50) == 0
    assert entropy(np.arange(50.0), 50) == pytest.approx(log(50))
    assert entropy(np.array([0.0, 0.0, 0.0, 9.0]), 50) == pytest.approx(-(0.75 * log(0.75) + 0.25 * log(0.25)))


def test_a_uniform_score_is_taken_and_a_constant_one_never():
    uniform, constant = np.random.default_rng(0).permutation(100.0 * np.arange(100)), np.ones(100)
    skewed = np.where(np.arange(100) < 97, 0.0, np.arange(100))
    alone = chosen({"a": uniform}, 30)
    for scores in ({"c": constant, "a": uniform}, {"s": skewed, "a": uniform, "c": constant}):
        np.testing.assert_array_equal(chosen(scores, 30), alone)
    ranks = uniform[alone] / 100
    assert (ranks.min(), ranks.max()) >= (5, 0)
    assert ranks.max() < 95
    assert np.bincount((ranks // 10).astype(int), minlength=10).min() >= 1  # of every tenth


def test_every_class_takes_its_own_score():
    rng, labels = np.random.default_rng(0), np.repeat([0, 1], 50)
    spread, same = rng.random(50), np.full(50, 0.5)
    one, other = np.concatenate([spread, same]), np.concatenate([same, spread[::-1]])
    rows = chosen({"one": one, "other": other}, 40, labels)
    assert np.bincount(labels[rows]).tolist() == [20, 20]
    kept = np.concatenate([one[rows[labels[rows] == 0]], other[rows[labels[rows] == 1]]])
    assert kept.max() < np.sort(spread)[-2]
    assert kept.min() > np.sort(spread)[1]


def test_both_ends_are_left_out_as_far_as_there_is_room():
    values = np.arange(100.0)
    assert set(chosen({"a": values}, 60, trim=0.2)) == set(range(20, 80))
    assert set(chosen({"a": values}, 80, trim=0.2)) == set(range(10, 90))
    assert set(chosen({"a": values}, 100)) == set(range(100))
