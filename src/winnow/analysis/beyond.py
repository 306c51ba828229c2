"""What a network does beside its accuracy: calibration, the worst class, agreement with another network, and how alike
their features are."""

import numpy as np

BINS = 15


def calibration_error(log_probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """The expected calibration error: the mean distance between confidence and accuracy, over bins of equal width of
    the confidence, each counted by its images (Guo et al. 2017, "On calibration of modern neural networks", eq. 3).

    log_probabilities: [n, classes]; labels: int [n]. Between 0 and 1.
    """
    confidence = np.exp(log_probabilities.max(axis=1).astype(float))
    right = log_probabilities.argmax(axis=1) == labels
    of_bin = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)  # bins are open below, closed above
    gaps = np.bincount(of_bin, confidence, bins) - np.bincount(of_bin, right, bins)
    return float(np.abs(gaps).sum() / len(labels))


def worst_class_error(log_probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The highest error of a class that has images. log_probabilities: [n, classes]; labels: int [n]."""
    wrong = log_probabilities.argmax(axis=1) != labels
    counts = np.bincount(labels)
    return float((np.bincount(labels, wrong)[counts > 0] / counts[counts > 0]).max())


def agreement(first: np.ndarray, second: np.ndarray) -> float:
    """The fraction of the images to which two networks give the same class. Both: outputs [n, classes]."""
    return float((first.argmax(axis=1) == second.argmax(axis=1)).mean())


def linear_cka(first: np.ndarray, second: np.ndarray) -> float:
    """Linear centred kernel alignment of the features of the same images by two networks: 1 if they are equal but for a
    rotation and a scale (Kornblith et al. 2019, "Similarity of neural network representations revisited", section 3).

    first: [n, a]; second: [n, b]. NaN if one of them is the same for all images.
    """
    first, second = (features.astype(float) - features.astype(float).mean(axis=0) for features in (first, second))
    norms = np.linalg.norm(first.T @ first) * np.linalg.norm(second.T @ second)
    return float(np.linalg.norm(first.T @ second) ** 2 / norms) if norms else float("nan")
