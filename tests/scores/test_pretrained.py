"""Scores of networks that trained without labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from tests.scores.test_features import layer_of
from winnow.scores.of_features.prototype_distance import prototype_distance
from winnow.scores.of_pretrained.self_supervised_prototypes import self_supervised_prototypes
from winnow.scores.pretrained import of_pretrained
from winnow.scores.seed_scores import NO_EPOCH
from winnow.storage import save_tensors


def drawn(seed: int, images: int = 60, width: int = 5, groups: int = 3) -> np.ndarray:
    """Features in a few groups, at lengths that mean nothing."""
    draws = np.random.default_rng(seed)
    points = 4 * np.eye(groups, width)[draws.integers(groups, size=images)] + draws.normal(size=(images, width))
    return (points * draws.uniform(0.5, 2, size=(images, 1))).astype(np.float32)


@given(st.integers(0, 999))
@settings(max_examples=10)
def test_turning_the_features_changes_nothing_and_permuting_the_images_permutes_it(seed):
    features, rng = drawn(seed), np.random.default_rng(seed)
    found, order = self_supervised_prototypes(features, 3), rng.permutation(len(features))
    turn, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    np.testing.assert_allclose(self_supervised_prototypes((features @ turn).astype(np.float32), 3), found, atol=1e-4)
    np.testing.assert_allclose(self_supervised_prototypes(features[order], 3), found[order], atol=1e-5)
    np.testing.assert_allclose(self_supervised_prototypes(7 * features, 3), found, atol=1e-5)


def test_against_scikit_learn():
    """Well-separated groups have one solution, which many starts of scikit-learn find too."""
    rng = np.random.default_rng(0)
    features = (20 * np.eye(3, 5)[np.arange(90) % 3] + rng.normal(size=(90, 5))).astype(np.float32)
    points = features / np.linalg.norm(features, axis=1, keepdims=True)
    expected = KMeans(3, n_init=20, random_state=1).fit(points).transform(points).min(axis=1)
    np.testing.assert_allclose(self_supervised_prototypes(features, 3), expected, atol=1e-5)


def test_it_is_the_score_of_supervised_features_where_the_features_are_the_same():
    features, labels = drawn(4), np.arange(60) % 3
    found = self_supervised_prototypes(features, 3)
    np.testing.assert_array_equal(found, prototype_distance(layer_of(features, labels)))


def test_every_seed_has_its_own_values_and_a_diverged_one_none(tmp_path):
    for seed in (7, 2, 11):
        features = drawn(seed).astype(np.float16)
        features[3, 2] = np.nan if seed == 7 else features[3, 2]
        save_tensors(tmp_path / f"seed{seed}" / "features.safetensors", {"features": features})
    found = of_pretrained("self_supervised_prototypes", tmp_path, 3)
    assert (found.seeds, found.epochs, found.values.shape) == ([2, 7, 11], [NO_EPOCH], (3, 1, 60))
    assert np.isnan(found.values[1]).all()
    for values, seed in ((found.values[0, 0], 2), (found.values[2, 0], 11)):
        expected = self_supervised_prototypes(drawn(seed).astype(np.float16).astype(np.float32), 3)
        assert values == pytest.approx(expected, abs=1e-6)
