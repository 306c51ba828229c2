"""Search and pruning (SnP: Yao et al. 2023, "Large-scale training data search for object re-identification")."""

from typing import Annotated

import numpy as np
from annotated_types import Ge

from winnow.clusters import k_means
from winnow.selection.evidence import Chosen, Evidence, Given
from winnow.selection.frechet import Moments, frechet_distance, moments, principal, together
from winnow.selection.methods.k_center import k_center

NEEDS_FEATURES = True
NEEDS_TARGET = True


def search_and_prune(
    evidence: Evidence,
    size: int,
    rng: np.random.Generator,
    *,
    epoch: int,
    target: str | None = None,
    clusters: Annotated[int, Ge(1)] = 50,
    dimensions: Annotated[int, Ge(1)] = 64,
) -> Chosen:
    """Search the clusters of images that together are most like another data set, then keep some that lie far apart.

    Search: k-means divides the images by one network's features after an epoch. The clusters stand in the order of
    their Frechet distance to the target's training images. Of the first one, the first two, and so on, those are taken
    that together have the lowest distance to the target, among all with at least ``size`` images. Prune: of the images
    taken, ``k_center`` keeps ``size``.

    As published it groups identities of persons or cars, not images; so no step here is about identities. Its clusters
    are of equal size, these are not. Its features are those of an Inception network.

    target: a name of target.sets; None for the only one. clusters: how many, or as many as there are images, if these
    are fewer. dimensions: distances are taken along so many principal components of both sets, because the covariance
    of a small cluster says little in more. ``Chosen.about`` has the number of clusters taken, their distance to the
    target, and that of all images.
    """
    features, others = evidence.target_features(target, epoch)
    own, other = principal(features, others, dimensions)
    groups = k_means(own, clusters, rng)
    parts = [moments(own[groups == group]) for group in np.unique(groups)]
    aim = moments(other)
    order = np.argsort([frechet_distance(part, aim) for part in parts], kind="stable")
    best, taken = search([parts[i] for i in order], aim, size)
    rows = np.flatnonzero(np.isin(groups, np.unique(groups)[order[:taken]]))
    pruned = k_center(
        Given(evidence.labels[rows], evidence.classes, feature_rows=features[rows]), size, rng, epoch=epoch
    )
    about = {"clusters": taken, "distance": best, "distance_of_all": frechet_distance(moments(own), aim)}
    return Chosen(rows[pruned.rows], about=about)


def search(parts: list[Moments], aim: Moments, size: int) -> tuple[float, int]:
    """The lowest distance to ``aim`` of the first parts taken together, of all that have at least ``size`` images, and
    how many parts that takes; of equal distances the fewest parts."""
    found: list[tuple[float, int]] = []
    whole = None
    for taken, part in enumerate(parts, start=1):
        whole = part if whole is None else together(whole, part)
        if whole.count >= size:
            found.append((frechet_distance(whole, aim), taken))
    return min(found)
