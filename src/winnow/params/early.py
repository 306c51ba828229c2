"""The sections early and score: which networks are trained for a few epochs, and which scores they give."""

from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from winnow.params.base import Name, Section, Seed, as_yaml
from winnow.params.named import UsedNetwork, UsedTraining


class Cohort(Section):
    """Seeds that are trained together; params.yaml may give the list of seeds alone.

    With folds, the training images are split into so many at random, and every seed trains on all but one of them, so
    that there are networks that have not seen an image. With a share, every seed trains on so much of the images, drawn
    at random for it alone. Trusted seeds train on the images that labels.trusted marks, and judge the others.
    """

    seeds: Annotated[list[Seed], Field(min_length=1)]
    folds: Annotated[int, Field(ge=2)] | None = None
    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    trusted: bool = False

    @model_validator(mode="before")
    @classmethod
    def _seeds_alone(cls, value: Any) -> Any:
        return value if isinstance(value, dict | Cohort) else {"seeds": value}

    @property
    def on_parts(self) -> bool:
        """Whether each seed trains on a part of the images."""
        return self.folds is not None or self.share is not None

    @model_validator(mode="after")
    def _every_fold(self) -> Self:
        if self.trusted and self.on_parts:
            raise ValueError(
                "is trusted, and has folds or a share; give one of them: each says on which images it trains"
            )
        if self.folds and self.share:
            raise ValueError("has folds and a share; give one of them: either says on which images a seed trains")
        if self.folds and len(self.seeds) % self.folds:
            raise ValueError(
                f"has {len(self.seeds)} seeds for {self.folds} folds; give a multiple of {self.folds} seeds, so that "
                "every image is left out equally often"
            )
        return self


class Early(Section):
    """The first epochs of several independent trainings, which give the scores."""

    cohorts: dict[Name, Cohort]
    network: UsedNetwork
    training: UsedTraining  # the whole schedule; early runs it up to the last of the epochs
    # scored; 0 = before training
    epochs: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    features: list[int]  # epochs (of those above) after which the inputs of the last layer are kept too

    @field_validator("cohorts")
    @classmethod
    def _cohorts(cls, cohorts: dict[str, Cohort]) -> dict[str, Cohort]:
        if not cohorts:
            raise ValueError("names no cohort; give one, such as {a: [0, 1, 2]}")
        owner: dict[int, str] = {}
        for name, cohort in cohorts.items():
            for seed in cohort.seeds:
                if seed in owner:
                    where = f"twice in cohort {name}" if owner[seed] == name else f"in cohorts {owner[seed]} and {name}"
                    raise ValueError(f"seed {seed} is {where}; every seed must be new, or its run would count twice")
                owner[seed] = name
        return cohorts

    @field_validator("epochs")
    @classmethod
    def _epochs(cls, epochs: list[int]) -> list[int]:
        if epochs != sorted(set(epochs)):
            raise ValueError(f"must rise and not repeat, such as {sorted(set(epochs))}")
        return epochs

    @model_validator(mode="after")
    def _length(self) -> Self:
        count, unit = self.training.length.split()
        if unit.startswith("epoch") and self.epochs[-1] > int(count):
            raise ValueError(
                f"early.epochs ends at {self.epochs[-1]}, but early.training.length is {self.training.length}"
            )
        return self

    @model_validator(mode="after")
    def _features(self) -> Self:
        for epoch in self.features:
            if epoch not in self.epochs:
                raise ValueError(f"early.features: {epoch} is not one of early.epochs, {as_yaml(self.epochs)}")
        return self


class Score(Section):
    """Which scores are computed, each for every cohort at every epoch of early.epochs."""

    scores: list[str]  # from the softmax outputs that early keeps, or the data
    gradients: list[str]  # from the networks that early keeps

    @field_validator("scores")
    @classmethod
    def _scores(cls, scores: list[str]) -> list[str]:
        if "el2n" not in scores:
            raise ValueError("must hold el2n: the suspects are found by it")
        return scores

    @field_validator("scores", "gradients")
    @classmethod
    def _once(cls, scores: list[str]) -> list[str]:
        if len(set(scores)) != len(scores):
            raise ValueError("names a score twice")
        return scores
