import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from winnow.selection.evidence import Given
from winnow.selection.methods.density import between, counts_of, density


def test_equal_clusters_keep_equal_numbers():
    assert counts_of(np.array([0.3, 0.3]), np.array([50, 50]), 40, 0.1).tolist() == [20, 20]
    assert counts_of(np.array([0.9, 0.1]), np.array([50, 50]), 40, 1e9).tolist() == [20, 20]
    assert counts_of(np.array([0.9, 0.1]), np.array([5, 50]), 40, 1e9).tolist() == [5, 35]  # all that one has


def test_counts_by_hand():
    shares = np.log([0.7, 0.2, 0.1])  # softmax at temperature 1 gives these
    assert counts_of(shares, np.array([100, 100, 100]), 60, 1.0).tolist() == [40, 10, 10]  # 42, 12, 6 → half of 20 each
    # 14, 4, 2, but 5 in the first, and half of 20 / 3 is 3: the others share 15 with a difference of 2 between them
    assert counts_of(shares, np.array([5, 100, 100]), 20, 1.0).tolist() == [5, 9, 6]
    assert counts_of(shares, np.array([1, 1, 1]), 3, 1.0).tolist() == [1, 1, 1]


clusters = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 40)), min_size=1, max_size=6)


@given(clusters, st.floats(0.05, 2), st.data())
def test_counts_add_up_within_their_bounds(found, temperature, data):
    complexity, sizes = (np.array(part) for part in zip(*found, strict=True))
    total = data.draw(st.integers(1, int(sizes.sum())))
    counts = counts_of(complexity, sizes, total, temperature)
    assert counts.sum() == total
    assert (counts <= sizes).all()
    assert (counts >= np.minimum(total // (2 * len(sizes)), sizes - 1)).all()


def test_counts_are_the_solution_of_the_quadratic_program():
    rng = np.random.default_rng(0)
    complexity, sizes, total = rng.random(5), np.array([300, 40, 800, 500, 90]), 900
    shares = np.exp(complexity / 0.2) / np.exp(complexity / 0.2).sum()
    solved = minimize(
        lambda counts: np.sum((counts - total * shares) ** 2),
        np.full(5, total / 5),
        bounds=list(zip(np.minimum(90, sizes - 1), sizes, strict=True)),
        constraints={"type": "eq", "fun": lambda counts: counts.sum() - total},
    )
    assert solved.success
    np.testing.assert_allclose(counts_of(complexity, sizes, total, 0.2), solved.x, atol=1)


def test_distance_to_the_nearest_centers():
    centers = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)
    np.testing.assert_allclose(between(centers), [1.5, 1, 1.5])
    assert between(centers[:1]).tolist() == [0]


def blobs() -> np.ndarray:
    """A tight cluster of 60 along one axis, and a wide one of 60 along another."""
    rng = np.random.default_rng(0)
    tight, wide = rng.normal([1, 0, 0], 0.02, (60, 3)), rng.normal([0, 1, 0], 0.3, (60, 3))
    return np.concatenate([tight, wide]).astype(np.float32)


def chosen(features: np.ndarray, size: int, **options) -> np.ndarray:
    evidence = Given(np.zeros(len(features), np.int64), 1, feature_rows=features)
    return density(evidence, size, np.random.default_rng(0), epoch=0, clusters=2, **options).rows


def test_the_wide_cluster_keeps_more_and_each_its_farthest():
    features = blobs()
    rows = chosen(features, 40, temperature=0.02)
    assert (rows >= 60).sum() > (rows < 60).sum() >= 10
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    for own in (np.arange(60), np.arange(60, 120)):
        cosine = unit[own] @ unit[own].mean(axis=0)
        kept = np.isin(own, rows)
        assert cosine[kept].max() <= cosine[~kept].min() + 1e-6


@pytest.mark.parametrize("size", [1, 2, 40, 120])
def test_as_many_as_asked_each_once(size):
    rows = chosen(blobs(), size)
    assert len(set(rows.tolist())) == size == len(rows)


def test_the_order_of_the_images_does_not_matter():
    order = np.random.default_rng(2).permutation(120)
    assert set(order[chosen(blobs()[order], 40)]) == set(chosen(blobs(), 40))
