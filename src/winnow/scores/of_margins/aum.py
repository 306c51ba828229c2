"""Area under the margin (Pleiss et al. 2020, "Identifying mislabeled data using the area under the margin ranking")."""

import numpy as np


def aum(margins: np.ndarray) -> np.ndarray:
    """Minus the mean margin over the visits so far (eq. 1 and 2): the higher, the more the label is doubted.

    margins: float [epochs, n], the logit of the label minus the largest of the others, at the visit of each epoch; NaN
    where the image was not visited, which is passed over. Returns float32 [epochs, n], the value after each epoch; 0 as
    long as the image was not visited.
    """
    total, visits = np.zeros(margins.shape[1]), np.zeros(margins.shape[1])
    means = np.empty(margins.shape, np.float32)
    for epoch, now in enumerate(margins):
        visited = ~np.isnan(now)
        total[visited] += now[visited]
        visits += visited
        means[epoch] = -total / np.maximum(visits, 1)
    return means
