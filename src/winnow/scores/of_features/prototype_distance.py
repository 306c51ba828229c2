"""The distance to the nearest prototype (Sorscher et al. 2022, "Beyond neural scaling laws: beating power law scaling
via data pruning", sec. 5)."""

import numpy as np

from winnow.scores.last_layer import LastLayer
from winnow.scores.prototypes import nearest_prototype


def prototype_distance(layer: LastLayer) -> np.ndarray:
    """The distance of each image to the nearest centre of k-means, [n], from 0 to 2, in features of unit length.

    It does not use the labels. High values are hard images, to be kept where data are plentiful; where they are scarce
    the paper keeps the low ones. The paper takes the features of a self-supervised network
    (``self_supervised_prototypes``); these are of one trained with the labels. k is the number of classes. Linear in n.
    """
    return nearest_prototype(layer.inputs, layer.weight.shape[0])
