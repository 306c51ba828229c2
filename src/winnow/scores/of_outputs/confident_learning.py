"""Confident learning (Northcutt et al. 2021, "Confident learning: estimating uncertainty in dataset labels", sec. 3.1).

It is meant for the outputs of networks that have not seen the image: one that has learned a wrong label by heart finds
nothing.
"""

import numpy as np

from winnow.scores.of_outputs.margin import margin

NEEDS_ALL = True  # the images together: the thresholds are means over classes
SLACK = 1e-6  # a probability equal to its threshold but for rounding reaches it, as in the authors' package


def confident_learning(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How far each label is doubted: [n], from 0 to 1 the normalised margin (1 + max over k != y of p_k - p_y) / 2, and
    1 more for an image off the diagonal of the confident joint, which is an issue.

    log_probabilities: log softmax [n, classes]; labels: int64 [n].
    """
    confident = confident_classes(np.exp(log_probabilities.astype(np.float64)), labels)
    issue = (confident >= 0) & (confident != labels)
    return (1 + margin(log_probabilities, labels)) / 2 + issue


def confident_classes(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The class that each image belongs to with confidence, int64 [n]; -1 where there is none.

    It is the most probable of the classes whose probability reaches the threshold: its mean over the images labelled so
    (eq. 1 and 2). A class that no image is labelled with has none. probabilities: [n, classes].
    """
    classes, given = probabilities.shape[1], probabilities[np.arange(len(labels)), labels]
    with np.errstate(invalid="ignore"):  # of a class without images NaN, which nothing reaches
        thresholds = np.bincount(labels, given, classes) / np.bincount(labels, minlength=classes)
    reached = np.where(probabilities >= thresholds - SLACK, probabilities, -1)
    return np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), -1)
