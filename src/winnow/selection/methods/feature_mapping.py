"""Feature mapping (DP4TL: Zhang et al. 2023, "Selectivity drives productivity: efficient dataset pruning for enhanced
transfer learning")."""

from typing import Annotated

import numpy as np
from annotated_types import Ge

from winnow.clusters import k_means
from winnow.selection.evidence import Chosen, Evidence
from winnow.selection.whole_groups import most_voted

NEEDS_FEATURES = True
NEEDS_TARGET = True


def feature_mapping(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    epoch: int,
    target: str | None = None,
    clusters: Annotated[int, Ge(1)] | None = None,
) -> Chosen:
    """Keep the clusters of images that the images of another data set lie nearest to. It uses no label.

    k-means divides the images by one network's features after an epoch. Each training image of the target votes for the
    cluster whose mean is nearest (Euclidean). The clusters with the most votes keep all their images, as far as
    ``size`` goes; of the last one, images are drawn at random. Of clusters with as many votes, the one whose mean is
    nearer to the target's mean comes first (our rule; the paper has none).

    target: a name of target.sets; None for the only one. clusters: how many; None for as many as there are classes. How
    many the paper takes, we have not verified. Raises ValueError if they are more than the images.
    """
    from sklearn.metrics import pairwise_distances_argmin  # most of a second

    own, other = (rows.astype(np.float64) for rows in evidence.target_features(target, epoch))
    count = clusters or evidence.classes
    if count > len(own):
        raise ValueError(f"clusters: {count} are more than the {len(own)} images")
    groups = k_means(own, count, rng)
    centres = np.stack([own[groups == group].mean(axis=0) for group in range(groups.max() + 1)])
    votes = np.bincount(pairwise_distances_argmin(other, centres), minlength=len(centres))
    return most_voted(groups, votes, -((centres - other.mean(axis=0)) ** 2).sum(axis=1), size, rng)
