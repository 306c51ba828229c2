"""The section target: other data sets, for which images of this one, the pool, are chosen."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from winnow.params.base import Name, Section
from winnow.params.download import check_path
from winnow.params.named import UsedTraining


class TargetSet(Section):
    """Where the images of a target come from, as in download. They are made as large as those of the pool, and grey
    ones get its three channels. No part is held out, as nothing is chosen by the accuracy on it.

    Every set must have the key path, which dvc.yaml reads.
    """

    source: str
    path: str | None  # of image_folder and parquet; null for other sources
    first: Annotated[int, Field(ge=1)] | None = None  # use only the first n training images
    first_test: Annotated[int, Field(ge=1)] | None = None  # use only the first n test images

    @model_validator(mode="after")
    def _path(self) -> Self:
        check_path("", self.source, self.path)
        return self


class Target(Section):
    """Every set is a target by itself: methods such as label_mapping choose for one of them, and every network that was
    retrained on a subset is fine-tuned on each."""

    sets: dict[Name, TargetSet]
    cohort: str  # of early: its first network is what looks at the training images of every set
    training: UsedTraining  # of the retrained networks, with a new last layer, on the training images of a set
