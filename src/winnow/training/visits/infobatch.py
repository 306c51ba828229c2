"""InfoBatch (Qin et al. 2023, "InfoBatch: Lossless Training Speed Up by Unbiased Dynamic Data Pruning")."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le, Lt

from winnow.training.plan import Moment, Plan, Visits
from winnow.training.visits._draws import draw
from winnow.training.visits._losses import last_losses, unknown


def infobatch(
    images: int,
    epochs: int,
    *,
    ratio: Annotated[float, Ge(0), Lt(1)] = 0.5,
    delta: Annotated[float, Ge(0), Le(1)] = 0.875,
) -> Plan:
    """Drop some of the images whose last loss lies below the mean, and let those of them that stay count more.

    ratio: the share of the images below the mean that an epoch drops (r). Of c such images int((1 - r) c) are drawn and
    count 1 / (1 - r); all others count 1. So the mean gradient is that of all images, but for a factor that all share
    and for the rounding of c. delta: up to this share of the epochs; then every epoch visits all images. The first
    epoch visits all too: no loss is known, and rounding must not tell equal losses apart.

    From the paper's words: epoch t, counted from 0, drops images if 0 < t < delta * epochs. The authors' code drops
    them at t = delta * epochs too, if that is a whole number.
    """
    every = np.arange(images)

    def choose(moment: Moment) -> Visits:
        if not 0 < moment.epoch < delta * epochs:
            return Visits(every)
        losses = moment.state["loss"].astype(np.float64)
        below = losses < losses.mean()
        easy = np.flatnonzero(below)
        kept = draw(moment.rng, easy, int((1 - ratio) * len(easy)))
        if len(kept) == len(easy):  # without weights, a mean over the batch is that of plain training to the last bit
            return Visits(every)
        rows = np.sort(np.concatenate([np.flatnonzero(~below), kept]))
        return Visits(rows, np.where(below[rows], 1 / (1 - ratio), 1).astype(np.float32))

    return Plan(choose, unknown(images), last_losses)
