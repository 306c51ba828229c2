import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.selection.choose import choose
from winnow.selection.evidence import Given
from winnow.selection.methods.moderate import middle


def chosen(features, labels, size: int, **options) -> list[int]:
    evidence = Given(np.asarray(labels), int(max(labels)) + 1, feature_rows=np.asarray(features, np.float32))
    return choose(evidence, "moderate", {"epoch": 0, **options}, size, seed=0).rows.tolist()


def authors(features: np.ndarray, labels: np.ndarray, rate: float) -> list[int]:
    """What the authors' code keeps: all but the two tails that its ``get_prune_idx`` drops."""
    centers = [np.median(features[labels == k], axis=0) for k in range(labels.max() + 1)]
    order = np.linalg.norm(features - np.array(centers, np.float64)[labels], axis=1).argsort()
    n = len(labels)
    return sorted(order[round(n * (0.5 - rate / 2)) : round(n * (0.5 + rate / 2))].tolist())


def test_by_hand():
    # medians 1 and 5; distances 1, 0, 1.5 and 3.5, 0, 1; by distance the rows are 1, 4, 0, 5, 2, 3
    features, labels = [[0.0], [1.0], [2.5], [1.5], [5.0], [6.0]], [0, 0, 0, 1, 1, 1]
    assert chosen(features, labels, 2) == [0, 5]
    assert chosen(features, labels, 4) == [0, 2, 4, 5]
    assert chosen(features, labels, 6) == list(range(6))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8, 1.0])
def test_it_keeps_what_the_authors_code_keeps(rate):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    features = rng.normal(size=(200, 6)).astype(np.float32) * (1 + labels[:, None])
    assert chosen(features, labels, round(200 * rate)) == authors(features, labels, rate)


def test_per_class_takes_the_middle_of_every_class():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], [40, 20])
    features = rng.normal(size=(60, 3)).astype(np.float32) * np.where(labels, 100, 1)[:, None]
    rows = chosen(features, labels, 30, per_class=True)
    for label, count in ((0, 20), (1, 10)):
        own = np.flatnonzero(labels == label)
        assert [row for row in rows if labels[row] == label] == own[authors(features[own], own * 0, 0.5)].tolist()
        assert np.sum(labels[rows] == label) == count
    assert np.bincount(labels[chosen(features, labels, 30)]).tolist() != [20, 10]  # spread decides


@given(st.integers(1, 40), st.data())
def test_the_middle_leaves_out_as_many_below_as_above(images, data):
    count = data.draw(st.integers(1, images))
    ranks = np.random.default_rng(images).permutation(images)
    kept = sorted(ranks[middle(ranks.astype(float), count)].tolist())
    assert kept == list(range(kept[0], kept[0] + count))
    assert abs(kept[0] - (images - 1 - kept[-1])) <= 1
