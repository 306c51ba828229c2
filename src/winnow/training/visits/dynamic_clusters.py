"""Dynamic choice over clusters of features (Kerdreux et al. 2025, on foundation models of Earth observation)."""

from dataclasses import replace
from typing import Annotated

import numpy as np
from annotated_types import Ge

from winnow.clusters import k_means
from winnow.counts import equal_counts
from winnow.training.plan import Moment, Plan, Visits
from winnow.training.visits._draws import Share, count, draw
from winnow.training.visits._held import Interval, every

FITTED_ON = 20_000  # images at most


def dynamic_clusters(
    images: int,
    _epochs: int,
    *,
    keep: Share,
    clusters: Annotated[int, Ge(1)] = 100,
    interval: Interval = 5,
    warmup: Annotated[int, Ge(0)] = 1,
) -> Plan:
    """Visit equally many images of every cluster of the features that the network has now, or all of a smaller one. So
    rare kinds of images are visited more often than their share.

    keep: the share of the images that are chosen. clusters: by k-means. interval: how many epochs a choice holds; each
    costs a pass over all images. warmup: the first epochs, which visit all images. The draw in a cluster is uniform.

    After a summary of the paper, which trains without labels: it has k-means in a hierarchy, and may choose near the
    centre of a cluster or far from it. Here the features are of a network that is trained with labels, the clusters are
    flat, and the defaults are not the paper's.
    """
    size = count(keep, images)
    if clusters > size:
        raise ValueError(f"clusters: {clusters} are more than the {size} images that keep: {keep:g} chooses")

    def pick(moment: Moment) -> np.ndarray:
        features = moment.features().astype(np.float32)
        cluster = k_means(features, clusters, moment.rng.spawn(1)[0], FITTED_ON)
        counts = equal_counts(size, cluster, clusters)
        return np.concatenate(
            [draw(moment.rng, np.flatnonzero(cluster == own), number) for own, number in enumerate(counts)]
        )

    later = every(interval, images, pick)

    def choose(moment: Moment) -> Visits:
        if moment.epoch < warmup:
            return Visits(np.arange(images))
        return later(replace(moment, epoch=moment.epoch - warmup))

    return Plan(choose, {"chosen": np.zeros(images, bool)})
