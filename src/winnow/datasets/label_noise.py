"""Label noise, for experiments on what it does to the scores."""

import numpy as np

from winnow.streams import numpy_stream


def randomise(labels: np.ndarray, fraction: float, classes: int, seed: int) -> np.ndarray:
    """Labels of which exactly round(fraction * n), chosen uniformly, are drawn again, uniformly from all classes.

    labels: int64 [n]. The "random labels" of Paul, Ganguli, Dziugaite 2021 (section 5): a new label is drawn without
    regard to the old one, so about 1 in ``classes`` of the chosen images keeps its label by chance.

    Draws from the stream "label_noise" of the seed: a larger fraction changes the same images alike, and more.
    """
    stream = numpy_stream(seed, "label_noise")
    chosen = stream.permutation(len(labels))[: round(fraction * len(labels))]
    drawn = stream.integers(classes, size=len(labels), dtype=np.int64)
    noisy = labels.copy()
    noisy[chosen] = drawn[chosen]
    return noisy
