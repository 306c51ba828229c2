import numpy as np
import pytest

from winnow.clusters import cosine_distances, directions
from winnow.selection.evidence import Given
from winnow.selection.methods import deduplicated as module
from winnow.selection.methods.deduplicated import deduplicated, similarity_to_earlier


def chosen(features: np.ndarray, size: int, **options) -> list[int]:
    evidence = Given(np.zeros(len(features), np.int64), 3, feature_rows=features.astype(np.float32))
    return deduplicated(evidence, size, np.random.default_rng(0), epoch=0, **options).rows.tolist()


def test_similarity_by_hand():
    points = np.array([[1, 0], [0, 1], [0.6, 0.8], [0, 1]], np.float32)
    np.testing.assert_allclose(similarity_to_earlier(points), [-1, 0, 0.8, 1], rtol=1e-6)


def test_similarity_in_blocks_is_that_of_a_plain_loop(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 300)
    points = np.random.default_rng(0).normal(size=(57, 4)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    plain = [-1.0] + [max(float(points[i] @ points[j]) for j in range(i)) for i in range(1, 57)]
    np.testing.assert_allclose(similarity_to_earlier(points), plain, rtol=1e-5, atol=1e-6)


def test_copies_are_the_first_to_go_all_but_one():
    features = np.random.default_rng(1).normal(size=(60, 8))
    copies = np.concatenate([features, features[[7, 7, 31]], 3 * features[[50]]])  # the last: the same direction
    kept = chosen(copies, 60)
    for group in ([7, 60, 61], [31, 62], [50, 63]):
        assert len(set(group) & set(kept)) == 1
    assert sorted(chosen(features, 60)) == list(range(60))


def test_by_hand_in_one_cluster():
    angles = np.deg2rad([0, 10, 11, 60])  # the mean lies near 20: 60 is the farthest, then 0, then 10, then 11
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert chosen(features, 4, clusters=1) == [3, 0, 1, 2]  # cosines with earlier ones: -, 60, 10 and 1 degrees


def test_clusters_have_unit_centers_and_distances_to_their_own():
    points = np.array([[1, 0], [0, 1], [0, 1], [1, 0], [-1, 0]], np.float32)
    clusters = np.array([0, 1, 0, 0, 1])
    centers = directions(points, clusters)
    np.testing.assert_allclose(centers, [[2 / 5**0.5, 1 / 5**0.5], [-(0.5**0.5), 0.5**0.5]], rtol=1e-6)
    cosines = np.array([2 / 5**0.5, 0.5**0.5, 1 / 5**0.5, 2 / 5**0.5, 0.5**0.5])
    np.testing.assert_allclose(cosine_distances(points, clusters, centers), 1 - cosines, rtol=1e-5)


@pytest.mark.parametrize("size", [1, 3, 20, 60])
def test_smaller_ones_are_beginnings_of_larger_ones(size):
    features = np.random.default_rng(1).normal(size=(60, 8))
    rows = chosen(features, size)
    assert rows == chosen(features, 60)[:size]
    assert len(set(rows)) == size


def test_the_order_of_the_images_does_not_matter():
    features = np.random.default_rng(1).normal(size=(60, 8))
    order = np.random.default_rng(2).permutation(60)
    # more clusters would have pairs, of which both are equally far from the center
    assert set(order[chosen(features[order], 30, clusters=3)]) == set(chosen(features, 30, clusters=3))
