"""The section dense: the networks that are pruned, before any cut."""

from typing import Annotated

from pydantic import Field

from winnow.params.base import Duration, Replicates, Section
from winnow.params.named import UsedNetwork, UsedTraining

NAME = "dense"  # of level 0, and of its rewind point, among the levels and rewind points of the section pruning


class Dense(Section):
    """Networks trained to the rewind point, and from there to the end: level 0 of every ticket."""

    seeds: Replicates  # replicates; none for a pipeline without tickets
    network: UsedNetwork
    training: UsedTraining
    rewind: Duration  # tau: the weights to which the surviving weights are put back
    eval_images: Annotated[int, Field(ge=1)]  # training images, drawn at random, on which training errors are measured
