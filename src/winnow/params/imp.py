"""The section imp: the levels of iterative magnitude pruning, each with the parent whose weights it cuts."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from winnow.params import dense
from winnow.params.base import Duration, Name, Section

# What is cut, and what the survivors are before they are trained again. Those of CUTTING take `cut` of the parent's
# weights; Renda, Frankle, Carbin 2020 compare the first three.
Variant = Literal[
    "imp",  # weights of the rewind point, schedule from there on
    "learning_rate",  # the parent's trained weights, schedule from the rewind point on
    "fine_tuning",  # the parent's trained weights, the schedule's last learning rate
    "one_shot",  # as imp, in one cut from the dense network
    "trial",  # as imp, to see how large a cut can be: beside the line of levels, not part of it
    "adaptive",  # as imp, the largest cut that keeps the training error before retraining within `budget`
    "random",  # as many weights in every layer as the parent has, but at random places; weights of the rewind point
    "fresh",  # the parent's mask on a fresh initialisation, the whole schedule
    "dense",  # all weights, trained from another rewind point, or on other data: level 0 for levels of its own
]
CUTTING: tuple[Variant, ...] = ("imp", "learning_rate", "fine_tuning", "one_shot", "trial")
REWOUND: tuple[Variant, ...] = ("imp", "one_shot", "trial", "adaptive")  # that cut, and rewind weights


class Rewind(Section):
    """A rewind point of its own: fresh networks of the dense section's seeds, trained for a while, perhaps on less."""

    data: str  # a subset by its file in data/, such as select/random-0.1, or full
    length: Duration = "1 epoch"  # of all training images, whatever the subset


class Level(Section):
    """One cut and what follows it."""

    parent: str  # the level whose trained weights are cut, or dense
    rewind: str  # a name of imp.rewinds, or dense
    data: str  # what it trains on: a subset by its file in data/, such as select/el2n-0.5, or full
    variant: Variant = "imp"
    cut: Annotated[float, Field(gt=0, lt=1)] | None = None  # share of the parent's weights that goes
    budget: Annotated[float, Field(ge=0, lt=1)] | None = None  # adaptive: rise of the training error, before retraining
    until: Annotated[float, Field(gt=0, lt=1)] | None = None  # adaptive: the share of all weights that it goes down to

    @model_validator(mode="after")
    def _of_variant(self) -> Self:
        needed = {"cut": self.variant in CUTTING, "budget": self.variant == "adaptive"}
        for key, is_needed in needed.items():
            given = getattr(self, key) is not None
            if is_needed and not given:
                raise ValueError(f"variant {self.variant} needs {key}, such as {key}: {0.2 if key == 'cut' else 0.02}")
            if given and not is_needed:
                raise ValueError(f"variant {self.variant} takes no {key}; leave it out")
        if self.until is not None and self.variant != "adaptive":
            raise ValueError(f"variant {self.variant} takes no until; leave it out")
        return self


class Imp(Section):
    """Iterative magnitude pruning as a tree of levels below dense."""

    rewinds: dict[Name, Rewind] = {}
    levels: dict[Name, Level] = {}
    floor: Annotated[int, Field(ge=0)] = 1  # weights that every layer keeps: a layer without any would pass on nothing

    @field_validator("rewinds", "levels")
    @classmethod
    def _names(cls, items: dict[str, Section]) -> dict[str, Section]:
        if dense.NAME in items:
            raise ValueError(f"{dense.NAME} is the name of what the section {dense.NAME} trains; take another")
        return items


def check_tree(imp: Imp) -> None:
    """Every level's parent is dense or a level before it, and its rewind point is there. For the whole file only: a
    stage reads one level without the others. Raises ValueError that names the key.
    """
    known = [dense.NAME]
    for name, level in imp.levels.items():
        if level.parent not in known:
            problem = "comes after it" if level.parent in imp.levels else "is no level"
            raise ValueError(f"imp.levels.{name}.parent: {level.parent} {problem}; there are {', '.join(known)}")
        if level.rewind not in (dense.NAME, *imp.rewinds):
            raise ValueError(
                f"imp.levels.{name}.rewind: {level.rewind} is no rewind point; "
                f"there are {', '.join([dense.NAME, *imp.rewinds])}"
            )
        root = level.parent == dense.NAME or imp.levels[level.parent].variant == "dense"
        if level.variant == "one_shot" and not root:
            raise ValueError(f"imp.levels.{name}: one_shot cuts a dense network; {level.parent} is pruned already")
        if level.variant == "dense" and level.parent != dense.NAME:
            raise ValueError(f"imp.levels.{name}: a level of variant dense has parent: dense")
        known.append(name)


def line(levels: Mapping[str, Level], name: str) -> list[str]:
    """A level and the levels above it, from dense on."""
    above = [name]
    while above[-1] != dense.NAME:
        above.append(levels[above[-1]].parent)
    return above[::-1]
