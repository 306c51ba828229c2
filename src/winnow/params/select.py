"""The section select: the subsets of the training images."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from winnow.params.base import Section, Seed

Keep = Annotated[float, Field(gt=0)] | Annotated[int, Field(ge=1)]  # a fraction of the images, or a count


def sizes(keep: list[float | int]) -> list[float | int]:
    """The sizes, if each is a fraction or a count, and none is there twice. Raises ValueError if not."""
    for value in keep:
        if isinstance(value, float) and value >= 1:
            raise ValueError(
                f"{value} is not a fraction kept: give a fraction between 0 and 1, or a whole number of images"
            )
    if len(set(keep)) != len(keep):
        raise ValueError("names a fraction twice")
    return keep


class Select(Section):
    """The subsets: every method at every keep.

    methods: a list of short names (``selection.names``), or a map from names that the user chooses to a method and its
    options, such as ``{k_center: {epoch: 4}, hard: {method: ranked, score: el2n}}``.
    """

    methods: Annotated[list[str], Field(min_length=1)] | dict[str, dict[str, Any]]
    keep: Annotated[list[Keep], Field(min_length=1), AfterValidator(sizes)]
    epoch: Annotated[int, Field(ge=0)]  # of scores and features, unless a method names its own
    seed: Seed  # of the methods' random draws

    @field_validator("methods")
    @classmethod
    def _methods(cls, methods: list[str] | dict[str, dict[str, Any]]) -> list[str] | dict[str, dict[str, Any]]:
        if len(set(methods)) != len(methods):
            raise ValueError("names a method twice")
        if "random" not in methods:
            raise ValueError("must hold random: every method is compared with a random subset of the same size")
        return methods
