"""The distance to the nearest prototype of self-supervised features (Sorscher et al. 2022, "Beyond neural scaling laws:
beating power law scaling via data pruning", sec. 5)."""

import numpy as np

from winnow.scores.prototypes import nearest_prototype


def self_supervised_prototypes(features: np.ndarray, classes: int) -> np.ndarray:
    """``prototype_distance`` of features that no label has shaped: the paper's metric, [n], from 0 to 2.

    The paper's features are those of SwAV; these are of Barlow Twins (``training.pretrain``).
    """
    return nearest_prototype(features, classes)
