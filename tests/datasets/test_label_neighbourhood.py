"""Labels that the neighbourhood of an image proposes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.datasets.label_neighbourhood import nearest_images, propose_labels

RNG = np.random.default_rng


def at(*degrees: float) -> np.ndarray:
    """Images that lie in these directions."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_by_hand():
    # the fourth image lies in the middle of the first group, with the label of the second
    features = at(0, 1, 2, 1.5, 90, 91, 92)
    assert propose_labels(features, np.array([0, 0, 0, 1, 1, 1, 1]), 3).tolist() == [0, 0, 0, 0, 1, 1, 1]
    # far from all, its nearest images are those of the first group, but theirs are each other
    features = at(0, 1, 2, 3, 45, 90, 91, 92, 93)
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
    assert nearest_images(features, 3)[4].tolist() == [3, 2, 1]
    assert propose_labels(features, labels, 3).tolist() == labels.tolist()


def plainly(features: np.ndarray, labels: np.ndarray, k: int) -> list[int]:
    """Image by image."""
    n = len(labels)

    def near(i: int) -> list[int]:
        def cosine(j: int) -> float:
            return features[i] @ features[j] / np.linalg.norm(features[i]) / np.linalg.norm(features[j])

        return sorted((j for j in range(n) if j != i), key=lambda j: -cosine(j))[:k]

    found = []
    for i in range(n):
        around = [labels[j] for j in near(i)]
        label = max(set(around), key=around.count)
        agreeing = [j for j in near(i) if labels[j] == label]
        returned = [j for j in agreeing if i in near(j)]
        found.append(label if len(agreeing) > k / 2 and len(returned) >= len(agreeing) / 2 else labels[i])
    return [int(label) for label in found]


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_it_is_the_plain_rule(seed, k):
    features, labels = RNG(seed).normal(size=(14, 3)), RNG(seed).integers(3, size=14)
    assert propose_labels(features, labels, k).tolist() == plainly(features, labels, k)


def test_the_nearest_are_those_of_a_public_package():
    from sklearn.neighbors import NearestNeighbors

    features = RNG(0).normal(size=(50, 4))
    theirs = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(features)
    assert (nearest_images(features, 5) == theirs.kneighbors(return_distance=False)).all()


def test_most_wrong_labels_of_separate_groups_are_corrected():
    truth = np.arange(300) % 3
    features = 4 * np.eye(3)[truth] + RNG(0).normal(size=(300, 3)) / 2
    wrong = RNG(1).random(300) < 0.1
    labels = np.where(wrong, (truth + 1) % 3, truth)
    found = propose_labels(features, labels)
    changed = found != labels
    assert (found[changed] == truth[changed]).mean() > 0.95
    assert (changed & wrong).sum() > 0.5 * wrong.sum()


@pytest.mark.parametrize("neighbours", [0, 4])
def test_too_few_images_are_told(neighbours):
    with pytest.raises(ValueError, match="neighbours: "):
        propose_labels(at(0, 1, 2, 3), np.zeros(4, np.int64), neighbours)
