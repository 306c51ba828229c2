"""The distance to the nearest prototype (Sorscher et al. 2022, "Beyond neural scaling laws: beating power law scaling
via data pruning", sec. 5)."""

import numpy as np

from winnow.clusters import k_means
from winnow.scores.last_layer import LastLayer, directions
from winnow.streams import numpy_stream


def prototype_distance(layer: LastLayer) -> np.ndarray:
    """The distance of each image to the nearest centre of k-means, [n], from 0 to 2, in features of unit length.

    It does not use the labels. High values are hard images, to be kept where data are plentiful; where they are scarce
    the paper keeps the low ones. The paper takes the features of a self-supervised network; these are of one trained
    with the labels. k is the number of classes; its start is drawn the same way for every network. Linear in n.
    """
    points = directions(layer.inputs)
    classes = layer.weight.shape[0]
    cluster = k_means(points, classes, numpy_stream(0, "scoring", classes))
    centres = [points[cluster == own].mean(axis=0) for own in range(cluster.max() + 1)]
    squares = [np.square(points - centre).sum(axis=1) for centre in centres]
    return np.sqrt(np.min(squares, axis=0))
