"""The sections connectivity, spawn, perturbation and curvature: what is measured on the trained tickets."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from winnow.params.base import Duration, Name, Section, Seed

Count = Annotated[int, Field(ge=1)]


class Subsets(Section):
    """Training images of the lowest and of the highest scores, and as many at random, for lines between children."""

    score: str  # whose mean over all seeds ranks the images
    epoch: int | None  # of early.epochs, at which; the last one that has the score if null
    images: Annotated[int, Field(ge=0)]  # in each subset; 0: no subsets


class Connectivity(Section):
    """Error and loss along the straight lines between solutions, and their barriers."""

    points: Annotated[int, Field(ge=3)]  # on a line, including both ends
    images: Count | None  # how many random images of the train split, and of the test split; all if null
    batch_norm: Literal["recalibrated", "interpolated"]  # its statistics, between the ends of a line
    matrix: list[str]  # levels, or dense; every pair is measured
    subsets: Subsets


class Spawn(Section):
    """Two children of one dense network, which differ only in the order of data and in augmentation."""

    at: list[Duration]  # when they part


class Perturbed(Section):
    """A level's training repeated from perturbed rewind points."""

    level: str  # the level to train again; the stage depends on it alone, so the next three keys are repeated
    rewind: str  # as pruning.levels has it
    data: str  # as pruning.levels has it
    child: str  # a level pruned from it: the length of that step's projection is the unit of scales


class Perturbation(Section):
    """Random perturbations of the rewind point, along the remaining weights."""

    runs: dict[Name, Perturbed]
    scales: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]  # in projections

    @field_validator("scales")
    @classmethod
    def _scales(cls, scales: list[float]) -> list[float]:
        if len(set(scales)) != len(scales):
            raise ValueError("names a length twice")
        return scales


class Curvature(Section):
    """The Hessian of the training loss over the remaining weights."""

    levels: list[str]
    images: Count  # random training images that the loss is taken over
    eigenvalues: Count  # the largest, exactly
    probes: Count  # random vectors for the spectral density and the trace
    lanczos_steps: Annotated[int, Field(ge=2)]  # of Lanczos' method for each probe
    loss_rise: Annotated[float, Field(gt=0)]  # nats: height of the sublevel set that predicts the largest cut
    seed: Seed  # of the probes
