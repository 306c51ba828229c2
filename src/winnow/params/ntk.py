"""The section ntk: how fast the neural tangent kernel of images with neighbouring scores turns in early training."""

from typing import Annotated

from pydantic import Field, field_validator

from winnow.params.base import Section, as_yaml

Count = Annotated[int, Field(ge=1)]


class Ntk(Section):
    """Kernel velocity, from each epoch to the next one of early.epochs."""

    score: str  # by which images are neighbours: its mean over all seeds, at the last of early.epochs
    epochs: list[int] | None  # of early.epochs, from which velocities are measured; null: all but the last; []: none
    groups: Count  # windows over the ranking, from the lowest scores to the highest
    images: Count  # in each group

    @field_validator("epochs")
    @classmethod
    def _epochs(cls, epochs: list[int] | None) -> list[int] | None:
        if epochs is not None and epochs != sorted(set(epochs)):
            raise ValueError(f"must rise and not repeat, such as {as_yaml(sorted(set(epochs)))}")
        return epochs
