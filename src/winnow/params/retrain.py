"""The section retrain: fresh networks on every subset."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from winnow.params.base import Name, Replicates, Section
from winnow.params.named import UsedNetwork, UsedTraining

Budget = Literal["steps", "epochs"]


class Recipe(Section):
    """Another way to train the subsets; what it leaves out is as in retrain.

    teacher: full, the networks that retrain trains on all data, or early, those of early.cohorts at the last of
    early.epochs; of several networks the mean of their probabilities. weight: of the teacher in the loss.
    temperature: of its softmax and the student's.
    """

    teacher: Literal["full", "early"] | None = None
    weight: Annotated[float, Field(ge=0, le=1)] = 0.9
    temperature: Annotated[float, Field(gt=0)] = 4.0
    budget: Budget | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.teacher is None:
            for key in sorted({"weight", "temperature"} & self.model_fields_set):
                raise ValueError(f"{key} is of a teacher: give one, teacher: full or teacher: early")
            if self.budget is None:
                raise ValueError("says nothing: give a teacher, such as {teacher: full}, or a budget")
        return self


class Retrain(Section):
    """Fresh networks trained on every subset, and on all data."""

    seeds: Annotated[Replicates, Field(min_length=1)]
    network: UsedNetwork
    training: UsedTraining
    budget: Budget  # a subset is trained for as many steps, or epochs, as all data
    recipes: dict[Name, Recipe]  # every subset of select is trained by each of these, too

    @field_validator("recipes")
    @classmethod
    def _recipes(cls, recipes: dict[str, Recipe]) -> dict[str, Recipe]:
        for name in recipes:
            if not re.match(r"[A-Za-z]", name):  # so that el2n-0.5-NAME is no method at a keep
                raise ValueError(f"{name}: the name of a recipe begins with a letter")
        return recipes
