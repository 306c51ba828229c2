"""The section aggregate: the table of all images."""

from typing import Annotated

from pydantic import Field

from winnow.params.base import Section, Seed


class Aggregate(Section):
    """The table of all images, how reliable its rankings are, and the suspects."""

    suspects: Annotated[int, Field(ge=1)]  # how many images with the highest EL2N to list for review
    suspects_epoch: Annotated[int, Field(ge=0)] | None  # the epoch of that EL2N; the last one if null
    splits: Annotated[int, Field(ge=1)]  # random splits of the seeds into disjoint halves, per number of seeds
    seed: Seed  # of the random splits
