"""The section transfer: other networks, or other trainings, whose scores choose images too."""

from typing import Annotated

from pydantic import Field

from winnow.params.base import Name, Replicates, Section
from winnow.params.named import UsedNetwork, UsedTraining


class Source(Section):
    """Networks that are trained and scored as a cohort of early is, but for what they are and how they train."""

    seeds: Annotated[Replicates, Field(min_length=1)]  # none of early's, of retrain's or of another source's
    network: UsedNetwork
    training: UsedTraining  # up to the last of early.epochs


class Transfer(Section):
    """Whether scores of one network or training choose well for another: method names end in -fromNAME."""

    sources: dict[Name, Source]
