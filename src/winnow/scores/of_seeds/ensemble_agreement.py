"""How far networks of other seeds agree, after one of the five measures of prototypes in Carlini et al. (2019,
"Distribution density, tails, and outliers in machine learning"). Read about, not in the paper: unverified."""

from itertools import combinations

import numpy as np
from scipy.special import entr


def ensemble_agreement(log_probabilities: np.ndarray) -> np.ndarray:
    """The Jensen-Shannon divergence in nats between a network's output and that of another, the mean over the others.

    The mean over the networks is that over all pairs, from 0, where all agree, as on a prototype, to log 2. So it is
    the agreement with its sign changed: the higher, the less typical the image. Of each pair it takes the entropy of
    their mean, JS = H((p + q) / 2) - (H(p) + H(q)) / 2, for which there is no way around the pairs.

    log_probabilities: log softmax [seeds, n, classes], NaN where a seed has not trained on the image. Returns float32
    [seeds, n], NaN there, and where no other seed has trained on the image.
    """
    probabilities = np.exp(log_probabilities.astype(np.float64))
    entropies = entr(probabilities).sum(axis=2)
    total, pairs = np.zeros((2, *entropies.shape))
    for a, b in combinations(range(len(probabilities)), 2):
        of_mean = entr((probabilities[a] + probabilities[b]) / 2).sum(axis=1)
        divergence = np.maximum(of_mean - (entropies[a] + entropies[b]) / 2, 0)  # rounding can take it below
        for seed in (a, b):
            total[seed] += np.nan_to_num(divergence)
            pairs[seed] += ~np.isnan(divergence)
    with np.errstate(invalid="ignore"):
        return (total / pairs).astype(np.float32)
