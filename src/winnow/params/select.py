"""The sections aggregate and select: the table of all images, and the subsets picked from it."""

from typing import Annotated

from pydantic import Field, field_validator

from winnow.params.base import Section, Seed
from winnow.subsets.method import parse_method


class Aggregate(Section):
    """The table of all images, how reliable its rankings are, and the suspects."""

    suspects: Annotated[int, Field(ge=1)] = 50  # how many images of the highest EL2N are listed for review
    suspects_epoch: Annotated[int, Field(ge=0)] | None = None  # the epoch of that EL2N; the last one if left out
    splits: Annotated[int, Field(ge=1)] = 20  # random splits of the seeds into disjoint halves, per number of seeds
    seed: Seed = 0  # of the random splits


class Select(Section):
    """The subsets: every method at every keep."""

    methods: Annotated[list[str], Field(min_length=1)] = ["el2n", "grand", "random"]
    keep: Annotated[list[Annotated[float, Field(gt=0)] | Annotated[int, Field(ge=1)]], Field(min_length=1)] = [
        0.3,
        0.5,
        0.7,
    ]
    epoch: Annotated[int, Field(ge=0)] = 10  # of the scores, where a method does not name its own
    seed: Seed = 0  # of random subsets

    @field_validator("methods")
    @classmethod
    def _methods(cls, methods: list[str]) -> list[str]:
        for text in methods:
            parse_method(text)
        if len(set(methods)) != len(methods):
            raise ValueError("names a method twice")
        if "random" not in methods:
            raise ValueError("must hold random: every method is compared with a random subset of the same size")
        return methods

    @field_validator("keep")
    @classmethod
    def _keep(cls, keep: list[float | int]) -> list[float | int]:
        for value in keep:
            if isinstance(value, float) and value >= 1:
                raise ValueError(
                    f"{value} is not a share kept: give a share between 0 and 1, or a whole number of images"
                )
        if len(set(keep)) != len(keep):
            raise ValueError("names a share twice")
        return keep
