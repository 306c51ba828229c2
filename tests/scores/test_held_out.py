"""Memorization: what having trained on an image changes, against a naive loop and by hand."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.scores.aggregate import mean_and_stderr
from winnow.scores.compute import compute
from winnow.scores.held_out import contributions
from winnow.scores.of_parts.memorization import memorization
from winnow.scores.of_parts.soft_memorization import soft_memorization
from winnow.scores.runs import EarlyRuns
from winnow.storage import save_tensors


def cohort(folder: Path, seen: np.ndarray, given_label: np.ndarray) -> EarlyRuns:
    """Two-class runs of one epoch: seed s gives image i its label 0 with this probability, [seeds, n]."""
    for seed, (rows, p) in enumerate(zip(seen, given_label, strict=True)):
        save_tensors(folder / f"seed{seed}" / "seen.safetensors", {"seen": rows.astype(np.uint8)})
        outputs = np.log(np.stack([p, 1 - p], axis=1)).astype(np.float32)
        save_tensors(folder / f"seed{seed}" / "epoch3.safetensors", {"log_probabilities": outputs})
    return EarlyRuns(folder, np.zeros(seen.shape[1], np.int64), Path())


def naive(how_well: np.ndarray, seen: np.ndarray) -> list[float]:
    found = []
    for image in range(seen.shape[1]):
        inside = [how_well[seed, image] for seed in range(len(seen)) if seen[seed, image]]
        outside = [how_well[seed, image] for seed in range(len(seen)) if not seen[seed, image]]
        found.append(sum(inside) / len(inside) - sum(outside) / len(outside))
    return found


@given(st.integers(0, 10**6), st.integers(2, 9), st.integers(1, 20))
def test_the_mean_of_the_contributions_is_the_difference_of_the_means(seed, seeds, images):
    rng = np.random.default_rng(seed)
    seen = rng.random((seeds, images)) < 0.6
    seen[0], seen[1] = True, False
    how_well = rng.random((seeds, images))
    np.testing.assert_allclose(contributions(how_well, seen).mean(axis=0), naive(how_well, seen), atol=1e-12)


def test_a_duplicate_has_none_and_a_wrong_label_has_all():
    """Image 0 has a twin in the data, so that networks know it either way; image 1 has a wrong label, which is given by
    those networks alone that learned it by heart. Networks agree, so nothing is uncertain of the first."""
    seen = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], bool)
    right = np.stack([np.ones(4), seen[:, 1]], axis=1)
    found = contributions(right, seen)
    np.testing.assert_allclose(found.mean(axis=0), [0, 1])
    np.testing.assert_array_equal(found[:, 0], 0)


def test_by_hand():
    """Three networks trained on the image, two of them right; two did not, none right: 2/3. As m = 2/5, they contribute
    5 (3/5) / 3 = 1, 5 (-2/5) / 3 = -2/3, and -5 (-2/5) / 2 = 1."""
    found = contributions(np.array([[1, 1, 0, 0, 0]]).T, np.array([[1, 1, 1, 0, 0]], bool).T)[:, 0]
    np.testing.assert_allclose(found, [1, 1, -2 / 3, 1, 1])
    assert found.mean() == pytest.approx(2 / 3)


def test_how_well_a_network_does():
    outputs, labels = np.log(np.array([[0.7, 0.3], [0.2, 0.8]])), np.array([0, 0])
    assert memorization(outputs, labels).tolist() == [1, 0]
    np.testing.assert_allclose(soft_memorization(outputs, labels), [0.7, 0.2])


def test_the_scores_of_a_cohort(tmp_path):
    rng = np.random.default_rng(3)
    seen, p = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [0, 0, 0]], bool), rng.uniform(0.1, 0.9, (4, 3))
    runs = cohort(tmp_path, seen, p)
    for name, how_well in (("memorization", p > 0.5), ("soft_memorization", p)):
        found = compute(name, runs)
        assert (found.seeds, found.epochs, found.values.dtype) == ([0, 1, 2, 3], [3], np.float32)
        np.testing.assert_allclose(mean_and_stderr(found.values)[0][0], naive(how_well, seen), atol=1e-6)


def test_a_cohort_that_trains_on_all_images_contributes_nothing(tmp_path):
    found = compute("memorization", cohort(tmp_path, np.ones((2, 3), bool), np.full((2, 3), 0.4)))
    assert (found.values.shape, found.seeds, found.epochs) == ((0, 1, 3), [], [3])


@pytest.mark.parametrize("image", [[0, 0, 0], [1, 1, 1]])
def test_an_image_in_no_part_or_in_all_has_none(image):
    seen = np.array([[1, 0, 0], image, [1, 1, 0]], bool).T
    with pytest.raises(ValueError, match=r"^1 images, the first in row 1, were trained on by none or by all of 3"):
        contributions(np.ones((3, 3)), seen)


def test_two_splits_into_parts_agree(tmp_path):
    """On made-up networks that know each image with a chance that training on it raises: two sets of 300 networks give
    the same memorization within its standard error."""
    rng = np.random.default_rng(0)
    base, raised = rng.random(40) * 0.5, rng.random(40) * 0.5
    means, errors = [], []
    for _ in range(2):
        seen = rng.random((300, 40)) < 0.7
        mean, error = mean_and_stderr(contributions(rng.random((300, 40)) < base + raised * seen, seen))
        means.append(mean)
        errors.append(error)
    assert (np.abs(means[0] - raised) < 4 * errors[0]).all()
    assert (np.abs(means[0] - means[1]) < 5 * errors[0]).all()
    assert (errors[0] < 0.11).all()
