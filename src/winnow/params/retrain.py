"""The section retrain: fresh networks on every subset."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from winnow.params.base import Replicates, Section
from winnow.params.named import UsedNetwork, UsedTraining


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ValueError(f"{name!r}: a name is made of letters, digits, _ and -")
    return name


class Retrain(Section):
    """Fresh networks trained on every subset, on all data, and in ways that choose the images as they go.

    visits: a map from names that the user chooses to a method of ``winnow.training.visits`` and its options, such as
    ``{rs2-a-third: {method: rs2, keep: 0.3}, infobatch: {}}``; a name that is a method's needs no method. The budget
    does not apply to them: they train for as many epochs as on all data, and what they save are visits. With as many
    steps as on all data they would save nothing.
    """

    seeds: Annotated[Replicates, Field(min_length=1)]
    network: UsedNetwork
    training: UsedTraining
    budget: Literal["steps", "epochs"]  # a subset is trained for as many steps, or epochs, as all data
    visits: dict[Annotated[str, AfterValidator(_name)], dict[str, Any]]
