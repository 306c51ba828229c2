"""Label noise, for experiments on its effect on scores."""

import numpy as np

from winnow.streams import numpy_stream


def randomise(labels: np.ndarray, fraction: float, classes: int, seed: int) -> np.ndarray:
    """Choose round(fraction * n) images uniformly, and draw each a new label, uniformly from all classes.

    labels: int64 [n]. These are the "random labels" of Paul, Ganguli, Dziugaite 2021 (section 5): a new label does not
    depend on the old one, so about 1 in ``classes`` of the chosen images keeps its label by chance.

    Draws from the seed's stream "label_noise". A larger fraction gives the same images the same labels, and changes
    more.
    """
    stream = numpy_stream(seed, "label_noise")
    chosen = stream.permutation(len(labels))[: round(fraction * len(labels))]
    drawn = stream.integers(classes, size=len(labels), dtype=np.int64)
    noisy = labels.copy()
    noisy[chosen] = drawn[chosen]
    return noisy
