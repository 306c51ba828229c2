"""The variance of the logits over training. No paper has it under this name; the definition is Winnow's own."""

import numpy as np


def logit_variance(log_probabilities: np.ndarray) -> np.ndarray:
    """The variance over the outputs so far (divisor: their number less 1) of each class's logit, the mean over classes.

    Logits are known up to a constant for each image and output, so they are taken less their mean over the classes.
    log_probabilities: log softmax [outputs, n, classes]. Returns float32 [outputs, n]; 0 after the first output.
    """
    found = np.zeros(log_probabilities.shape[:2], np.float32)
    mean, squares = np.zeros((2, *log_probabilities.shape[1:]))
    for place, output in enumerate(log_probabilities):
        logits = output.astype(np.float64)
        step = logits - logits.mean(axis=1, keepdims=True) - mean
        mean += step / (place + 1)
        squares += np.square(step) * (place / (place + 1))  # Welford's sum
        found[place] = squares.mean(axis=1) / max(place, 1)
    return found
