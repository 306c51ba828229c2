"""The section dense: the networks before pruning."""

from typing import Annotated

from pydantic import Field

from winnow.params.base import Duration, Replicates, Section
from winnow.params.named import UsedNetwork, UsedTraining

NAME = "dense"  # the name of level 0, and of its rewind point, in the section pruning


class Dense(Section):
    """Networks trained to the rewind point, and from there to the end: level 0 of every ticket."""

    seeds: Replicates  # replicates; empty for a pipeline without tickets
    network: UsedNetwork
    training: UsedTraining
    rewind: Duration  # tau: the time whose weights the survivors of pruning get back
    eval_images: Annotated[int, Field(ge=1)]  # random training images for measuring training errors
    measure_epochs: bool  # measure the validation and test images after every epoch, for the step of early stopping
