import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.analysis.beyond import agreement, calibration_error, linear_cka, worst_class_error


def outputs(*confidences: float) -> np.ndarray:
    """Two classes, of which the first has this probability."""
    first = np.array(confidences)
    return np.log(np.stack([first, 1 - first], axis=1))


def test_calibration_by_hand() -> None:
    """Two bins: 0.95 and 0.91, both right; 0.61 and 0.65, one of them right."""
    found = outputs(0.95, 0.91, 0.61, 0.65)
    expected = (abs((0.95 + 0.91) / 2 - 1) * 2 + abs((0.61 + 0.65) / 2 - 0.5) * 2) / 4
    assert calibration_error(found, np.array([0, 0, 0, 1]), bins=10) == pytest.approx(expected)
    assert calibration_error(outputs(1 - 1e-12), np.array([0])) == pytest.approx(0)


@given(st.lists(st.tuples(st.floats(0.51, 0.999), st.booleans()), min_size=1, max_size=30), st.integers(1, 20))
def test_calibration_is_a_loop_over_bins(images: list[tuple[float, bool]], bins: int) -> None:
    confidences, right = np.array([each for each, _ in images]), np.array([each for _, each in images])
    expected = 0.0
    for number in range(bins):
        own = (confidences > number / bins) & (confidences <= (number + 1) / bins)
        if own.any():
            expected += own.mean() * abs(right[own].mean() - confidences[own].mean())
    found = calibration_error(outputs(*confidences), np.where(right, 0, 1), bins)
    if np.abs(confidences * bins - np.round(confidences * bins)).min() > 1e-9:
        assert found == pytest.approx(expected, abs=1e-9)


def test_the_worst_class_and_agreement_by_hand() -> None:
    found, labels = outputs(0.9, 0.2, 0.7, 0.8, 0.1), np.array([0, 0, 1, 1, 1])  # classes 0, 1, 0, 0, 1
    assert worst_class_error(found, labels) == pytest.approx(2 / 3)
    assert worst_class_error(found, 3 * labels) == 1  # no image has class 1 or 2
    assert agreement(found, outputs(0.6, 0.6, 0.6, 0.1, 0.1)) == pytest.approx(3 / 5)


def test_features_are_as_alike_as_their_centred_kernels() -> None:
    """Against the definition by Gram matrices, with HSIC; a rotation and a scale change nothing."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(40, 5)) + 3, rng.normal(size=(40, 7))
    second[:, :5] += first
    centre = np.eye(40) - 1 / 40
    kernels = [centre @ features @ features.T @ centre for features in (first, second)]
    hsic = {(i, j): np.trace(kernels[i] @ kernels[j]) for i in (0, 1) for j in (0, 1)}
    assert linear_cka(first, second) == pytest.approx(hsic[0, 1] / np.sqrt(hsic[0, 0] * hsic[1, 1]))
    rotation, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    assert linear_cka(first, 2.5 * first @ rotation) == pytest.approx(1)
    assert np.isnan(linear_cka(first, np.ones((40, 2))))


def test_a_class_without_images_is_no_worst_class() -> None:
    assert worst_class_error(np.eye(4)[[0, 0, 1, 3, 3]], np.array([0, 0, 1, 3, 1])) == 0.5
