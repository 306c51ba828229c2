"""Labels that the nearest images do not share: the nearest-neighbour rule as a check of labels (after Wilson 1972,
"Asymptotic properties of nearest neighbor rules using edited data")."""

import numpy as np

from winnow.scores.last_layer import LastLayer, directions

NEIGHBOURS = 10


def label_neighbours(layer: LastLayer) -> np.ndarray:
    """The share of an image's 10 nearest others whose label is another, [n], from 0 to 1: a high one is suspect.

    Nearest by the angle between features. Takes n^2 d operations, in parts, and memory for n times 10 neighbours. Of
    fewer than 11 images it takes all others.
    """
    from sklearn.neighbors import NearestNeighbors  # seconds, and few experiments have such scores

    count = min(NEIGHBOURS, len(layer.labels) - 1)
    if count < 1:
        return np.zeros(len(layer.labels), np.float32)
    found = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(directions(layer.inputs))
    nearest = found.kneighbors(return_distance=False)  # of the images themselves, each without itself
    return (layer.labels[nearest] != layer.labels[:, None]).mean(axis=1, dtype=np.float32)
