"""Distances to prototypes: the centres of k-means in features of unit length."""

import numpy as np

from winnow.clusters import k_means
from winnow.scores.last_layer import directions
from winnow.streams import numpy_stream


def nearest_prototype(features: np.ndarray, count: int) -> np.ndarray:
    """The Euclidean distance of each image to the nearest of ``count`` centres, [n], from 0 to 2.

    features: float32 [n, d], which are brought to length 1. The start of k-means is drawn the same way for every
    network. Linear in n.
    """
    points = directions(features)
    cluster = k_means(points, count, numpy_stream(0, "scoring", count))
    centres = [points[cluster == own].mean(axis=0) for own in range(cluster.max() + 1)]
    squares = [np.square(points - centre).sum(axis=1) for centre in centres]
    return np.sqrt(np.min(squares, axis=0))
