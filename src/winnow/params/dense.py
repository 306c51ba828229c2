"""The section dense: the networks before pruning."""

from typing import Annotated

from pydantic import Field, field_validator

from winnow.params.base import Duration, Replicates, Section, steps
from winnow.params.named import UsedNetwork, UsedTraining

NAME = "dense"  # the name of level 0, and of its rewind point, in the section pruning


class Dense(Section):
    """Networks trained to the rewind point, and from there to the end: level 0 of every ticket."""

    seeds: Replicates  # replicates; empty for a pipeline without tickets
    network: UsedNetwork
    training: UsedTraining
    rewind: Duration  # tau: the time whose weights the survivors of pruning get back
    eval_images: Annotated[int, Field(ge=1)]  # random training images for measuring training errors
    measure: Duration | None  # how often to measure the validation loss, for the step of early stopping; None: never

    @field_validator("measure")
    @classmethod
    def _some_time(cls, value: str | None) -> str | None:
        if value is not None and not steps(value, 1):
            raise ValueError(f"{value}: must be 1 step or more; null for never")
        return value
