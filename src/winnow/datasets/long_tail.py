"""Long-tailed classes, for experiments on unbalanced data: each class has fewer training images than the one before."""

import numpy as np

from winnow.streams import numpy_stream


def class_sizes(images: np.ndarray, factor: float) -> np.ndarray:
    """How many images of every class stay, int64 [classes]: exponential class sizes, as Cui, Jia, Lin, Song, Belongie
    2019 make long-tailed CIFAR (section 5.1, and their code, which rounds down).

    images: int [classes], what each class has. Class i of C keeps ``most * factor ** (-i / (C - 1))`` images, rounded
    down; ``most`` is the largest number for which every class has as many. So in a balanced set the first class keeps
    all, and in any set the first class has ``factor`` times as many as the last. The order is that of the class names.
    """
    decay = factor ** (-np.arange(len(images)) / max(1, len(images) - 1))
    # a hair more, so that rounding errors make no 49 of 50
    return np.floor((images / decay).min() * decay * (1 + 1e-9)).astype(np.int64)


def long_tail(labels: np.ndarray, classes: int, factor: float, seed: int) -> np.ndarray:
    """The rows that stay, rising int64 [m], of the images with these labels, int64 [n]; ``class_sizes`` of each class.

    Each class draws from its own part of the seed's stream "long_tail". Of a balanced set, a larger factor keeps no
    image that a smaller one leaves out.
    """
    sizes = class_sizes(np.bincount(labels, minlength=classes), factor)
    kept = np.zeros(len(labels), dtype=bool)
    for label, size in enumerate(sizes):
        rows = np.flatnonzero(labels == label)
        kept[rows[numpy_stream(seed, "long_tail", label).permutation(len(rows))[:size]]] = True
    return np.flatnonzero(kept)
