"""The distance to the prototype of the own class, the variant of ``prototype_distance`` that uses the labels."""

import numpy as np

from winnow.scores.last_layer import LastLayer, directions


def class_prototype_distance(layer: LastLayer) -> np.ndarray:
    """The distance of each image to the mean of all with its label, [n], from 0 to 2, in features of unit length."""
    points = directions(layer.inputs)
    distances = np.empty(len(points), np.float32)
    for label in np.unique(layer.labels):
        own = layer.labels == label
        distances[own] = np.linalg.norm(points[own] - points[own].mean(axis=0, dtype=np.float64), axis=1)
    return distances
