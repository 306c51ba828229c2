import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.selection.evidence import Given
from winnow.selection.methods.herding import herding


def in_order(features, size: int, labels=None, **options) -> list[int]:
    labels = np.zeros(len(features), np.int64) if labels is None else labels
    evidence = Given(labels, int(labels.max()) + 1, feature_rows=np.asarray(features, np.float32))
    return herding(evidence, size, np.random.default_rng(0), epoch=0, **options).rows.tolist()


def plainly(features: np.ndarray, size: int) -> list[int]:
    """By the definition: which image makes the mean of the kept ones nearest to the mean of all."""
    features, rows = features.astype(np.float64), []
    while len(rows) < size:
        left = [row for row in range(len(features)) if row not in rows]
        away = [np.linalg.norm(features.mean(axis=0) - features[[*rows, row]].mean(axis=0)) for row in left]
        rows.append(left[int(np.argmin(away))])
    return rows


def test_by_hand():
    assert in_order([[0.0], [1.0], [2.0], [10.0]], 2) == [2, 1]


@given(st.integers(1, 30), st.integers(1, 5), st.integers(0, 2**32 - 1), st.data())
def test_it_is_the_definition(images, dimensions, seed, data):
    rows = np.random.default_rng(seed).normal(size=(images, dimensions)).astype(np.float32)
    size = data.draw(st.integers(1, images - 1 if images > 1 else 1))  # the last two may tie in the mean
    found, expected = in_order(rows, size), plainly(rows, size)
    for i, (mine, other) in enumerate(zip(found, expected, strict=True)):
        if mine != other:  # then both bring the mean as near, but for rounding
            away = [np.linalg.norm((rows - rows.mean(axis=0))[[*found[:i], row]].sum(axis=0)) for row in (mine, other)]
            assert away[0] == pytest.approx(away[1], abs=1e-5)
            return


@pytest.mark.parametrize("shift", [0, 300])
def test_many_images_far_from_the_origin(shift):
    rows = (np.random.default_rng(1).normal(size=(300, 8)) + shift).astype(np.float32)
    assert in_order(rows, 80) == plainly(rows, 80)


def test_of_equal_images_the_earlier_row_comes_first():
    assert in_order([[1.0], [0.0], [1.0], [0.0]], 4)[0] == 0
    assert in_order(np.ones((5, 2)), 3) == [0, 1, 2]


def test_every_class_is_herded_to_its_own_mean():
    rng = np.random.default_rng(2)
    labels, rows = rng.integers(0, 3, 60), rng.normal(size=(60, 4)).astype(np.float32)
    chosen = in_order(rows, 20, labels)
    counts = np.bincount(labels[chosen])
    expected = [own[plainly(rows[own], counts[k])] for k in range(3) for own in [np.flatnonzero(labels == k)]]
    assert chosen == np.concatenate(expected).tolist()
    assert in_order(rows, 20, labels, per_class=False) == plainly(rows, 20)
