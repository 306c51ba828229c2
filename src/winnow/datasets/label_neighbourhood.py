"""Propose other labels for images whose nearest images agree on one, and have the image among their nearest in turn."""

import numpy as np

CHUNK = 2**22  # similarities in memory at a time


def propose_labels(features: np.ndarray, labels: np.ndarray, neighbours: int = 10) -> np.ndarray:
    """The label of every image, int64 [n]: its own, or another that its neighbourhood gives it.

    An image gets another label if both hold:

    - forth: more than half of its nearest images have this label;
    - back: the image is among the nearest images of at least half of these.

    The second keeps labels that only reach an image from a dense group far away. Nearest are the ``neighbours`` other
    images with the largest cosine of the angle between features. All images are judged by the labels given, at once, so
    that no proposal depends on another. The idea, that an assignment has to lead back, is that of cycle-consistent
    captions of images (SynC, 2025); this rule for labels is our own.

    Takes n^2 d operations, in parts, and memory for n times ``neighbours``^2 rows. features: float [n, d]; labels: int
    [n], from 0.

    Raises ValueError unless there are more images than neighbours.
    """
    if not 0 < neighbours < len(labels):
        raise ValueError(f"neighbours: {neighbours} must be from 1 to {len(labels) - 1}, for {len(labels)} images")
    nearest = nearest_images(features, neighbours)
    theirs = labels[nearest]
    votes = np.stack([(theirs == label).sum(axis=1) for label in range(int(labels.max()) + 1)], axis=1)
    other = votes.argmax(axis=1)
    agree = theirs == other[:, None]
    back = (nearest[nearest] == np.arange(len(labels))[:, None, None]).any(axis=2)
    forth = 2 * agree.sum(axis=1) > neighbours
    return np.where(forth & (2 * (agree & back).sum(axis=1) >= agree.sum(axis=1)), other, labels)


def nearest_images(features: np.ndarray, count: int) -> np.ndarray:
    """The rows of the ``count`` other images that are nearest to each by angle, nearest first: int64 [n, count]."""
    lengths = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    directions = (features / np.maximum(lengths, np.finfo(np.float64).tiny)).astype(np.float32)
    found = np.empty((len(features), count), np.int64)
    step = max(1, CHUNK // len(features))
    for start in range(0, len(features), step):
        apart = -directions[start : start + step] @ directions.T
        own = np.arange(len(apart))
        apart[own, start + own] = np.inf
        some = np.argpartition(apart, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(apart, some, axis=1), axis=1, kind="stable")
        found[start : start + step] = np.take_along_axis(some, order, axis=1)
    return found
