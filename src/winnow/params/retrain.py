"""The section retrain: fresh networks on every subset."""

from typing import Annotated, Literal

from pydantic import Field

from winnow.params.base import Replicates, Section
from winnow.params.named import UsedNetwork, UsedTraining


class Retrain(Section):
    """Fresh networks trained on every subset, and on all data."""

    seeds: Annotated[Replicates, Field(min_length=1)]
    network: UsedNetwork
    training: UsedTraining
    budget: Literal["steps", "epochs"]  # a subset is trained for as many steps, or epochs, as all data
