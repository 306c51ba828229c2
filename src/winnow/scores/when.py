"""After which of the scored epochs a score exists."""

from collections.abc import Sequence

from winnow import methods
from winnow.scores.families import OF_FEATURES, OF_RECORDS, OF_TRAJECTORIES, WITHOUT_EPOCH
from winnow.scores.seed_scores import NO_EPOCH

FEWEST = 3  # outputs over which a trajectory is scored


def epochs_of(name: str, epochs: Sequence[int], features: Sequence[int]) -> list[int]:
    """Those after which a score exists, rising; [NO_EPOCH] if it does not depend on training.

    epochs, features: early.epochs and early.features.
    """
    if any(name in methods.names(family) for family in WITHOUT_EPOCH):
        return [NO_EPOCH]
    if name in methods.names(OF_FEATURES):
        return sorted(set(epochs) & set(features))
    trained = [epoch for epoch in epochs if epoch > 0]
    if name in methods.names(OF_TRAJECTORIES):
        return trained[FEWEST - 1 :]
    if any(name in methods.names(family) for family in OF_RECORDS):
        return trained
    return list(epochs)
