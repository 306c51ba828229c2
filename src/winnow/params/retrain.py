"""The section retrain: fresh networks on every subset."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

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
    budget: Budget  # a subset is trained for as many steps, or epochs, as all data
    visits: dict[Annotated[str, AfterValidator(_name)], dict[str, Any]]
    recipes: dict[Name, Recipe]  # every subset of select is trained by each of these, too

    @field_validator("recipes")
    @classmethod
    def _recipes(cls, recipes: dict[str, Recipe]) -> dict[str, Recipe]:
        for name in recipes:
            if not re.match(r"[A-Za-z]", name):  # so that el2n-0.5-NAME is no method at a keep
                raise ValueError(f"{name}: the name of a recipe begins with a letter")
        return recipes
