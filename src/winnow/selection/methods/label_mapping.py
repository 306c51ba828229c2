"""Label mapping (DP4TL: Zhang et al. 2023, "Selectivity drives productivity: efficient dataset pruning for enhanced
transfer learning")."""

import numpy as np

from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.whole_groups import most_voted

NEEDS_TARGET = True


def label_mapping(
    evidence: Evidence, size: int, rng: np.random.Generator, *, epoch: int, target: str | None = None
) -> Chosen:
    """Keep the classes that a network takes the images of another data set for.

    One network of the scored ones, after an epoch, predicts a class for every training image of the target, without
    augmentation. Each prediction is a vote. The classes with the most votes keep all their images, as far as ``size``
    goes; of the last one, images are drawn at random. Many classes may have no vote at all: of classes with as many
    votes, the one with the larger sum of probabilities over the target comes first (our rule; the paper has none).

    target: a name of target.sets; None for the only one.
    """
    outputs = evidence.target_outputs(target, epoch)
    votes = np.bincount(outputs.argmax(axis=1), minlength=outputs.shape[1])
    return most_voted(evidence.labels, votes, np.exp(outputs, dtype=np.float64).sum(axis=0), size, rng)
