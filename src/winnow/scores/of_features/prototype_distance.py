"""The distance to the nearest prototype (Sorscher et al. 2022, "Beyond neural scaling laws: beating power law scaling
via data pruning", sec. 5)."""

import numpy as np

from winnow.scores.last_layer import LastLayer, directions
from winnow.streams import numpy_stream


def prototype_distance(layer: LastLayer) -> np.ndarray:
    """The distance of each image to the nearest centre of k-means, [n], from 0 to 2, in features of unit length.

    It does not use the labels. High values are hard images, to be kept where data are plentiful; where they are scarce
    the paper keeps the low ones. The paper takes the features of a self-supervised network; these are of one trained
    with the labels. k is the number of classes; its start is drawn the same way for every network. Linear in n.
    """
    from sklearn.cluster import KMeans  # seconds, and few experiments have such scores

    points = directions(layer.inputs)
    count = min(layer.weight.shape[0], len(np.unique(points, axis=0)))
    seed = int(numpy_stream(0, "scoring", count).integers(2**31))
    centres = KMeans(count, n_init=1, random_state=seed).fit(points).cluster_centers_
    squares = [np.square(points - centre).sum(axis=1) for centre in centres]
    return np.sqrt(np.min(squares, axis=0))
