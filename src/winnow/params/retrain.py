"""The section retrain: fresh networks on every subset."""

from typing import Annotated, Literal

from pydantic import Field

from winnow.params.base import Replicates, Section
from winnow.params.training import Network, Training


class Retrain(Section):
    """Fresh networks trained on every subset, and on all data."""

    seeds: Annotated[Replicates, Field(min_length=1)] = [100, 101, 102]
    network: Network = Network()
    training: Training = Training()
    budget: Literal["steps", "epochs"] = "steps"  # a subset is trained for as many steps, or epochs, as all data
