"""PASER's budgets (PASER 2025, "Post-training data selection for efficient pruned large language model recovery").

The paper chooses instructions for a language model, in clusters of embeddings, and leaves out those that contradict
what it has chosen. Here the clusters are the classes, every image costs the same, and none contradicts another.
"""

import numpy as np

from winnow.counts import fill, rounded
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.methods.ranked import top


def paser(evidence: Evidence, size: int, rng: np.random.Generator, *, epoch: int, score: str) -> Chosen:
    """Keep more images of the classes with the higher mean score, and of a class those of the highest.

    score: compression_gap in the paper, so that the images kept are those that pruning changed most. A class's quota is
    in proportion to its mean. A class with fewer images keeps all, and the others share the rest.

    Raises ValueError if a mean is below 0.
    """
    values = evidence.score(score, epoch)
    sizes = np.bincount(evidence.labels, minlength=evidence.classes)
    means = np.bincount(evidence.labels, values, minlength=evidence.classes) / np.maximum(sizes, 1)
    if not (means >= 0).all() or not np.isfinite(means).all():
        raise ValueError(f"score: {score} has classes with a mean below 0, or without one; quotas need means from 0 on")
    counts = rounded(np.round(fill(means, sizes, size), 9), size)
    classes = ((np.flatnonzero(evidence.labels == label), count) for label, count in enumerate(counts))
    return Chosen(np.concatenate([rows[top(values[rows], count)] for rows, count in classes]))
