"""The section pruning: the levels of pruning, each with the parent whose weights it prunes."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from winnow.params import dense
from winnow.params.base import Duration, Name, Section
from winnow.params.presets import PRESETS, Choices, name_of

NO_PARENT = "none"  # the parent of a level that is pruned before or during its training


def _preset(name: str) -> str:
    if name not in PRESETS:
        raise ValueError(f"must be one of {', '.join(PRESETS)}, not {name}")
    return name


class Rewind(Section):
    """A further rewind point: fresh networks of the dense section's seeds, trained for a while, perhaps on a subset."""

    data: str  # a subset by its file in data/, such as select/random-0.1, or full
    length: Duration = "1 epoch"  # epochs of all training images, whatever the subset


class Level(Section):
    """One pruning step and what follows it. It names a variant (params.presets) or choices; each choice has a default.

    Further keys are options of the criterion, the allocation and the way of pruning. ``tickets.rules``, which alone
    knows these methods, checks them.
    """

    model_config = ConfigDict(extra="allow")

    parent: str  # the level whose trained weights are pruned, or dense; or none, to prune the rewind point's weights
    rewind: str  # a name in pruning.rewinds, or dense
    data: str  # what it trains on: a subset by its file in data/, such as select/el2n-0.5, or full
    variant: Annotated[str, AfterValidator(_preset)] | None = None
    criterion: str | None = None  # how weights are ranked
    allocation: str | None = None  # how many weights each layer keeps
    structure: str | None = None  # weights, or the pattern that the remaining weights form
    when: str | None = None  # once, before the training; or how the mask changes during it
    weights: str | None = None  # what the survivors start from: rewind, trained, fresh, updated, corrected
    schedule: str | None = None  # of their training: rest, full, same_budget, last_rate, no_training
    trains: str | None = None  # which parameters train: all, biases, norms, norms_and_biases, low_rank
    prune: Annotated[float, Field(gt=0, lt=1)] | None = None  # the fraction of the parent's weights that is pruned
    # instead of prune: how far pruning may raise the training error, and the smallest fraction of all weights to keep
    max_error_rise: Annotated[float, Field(ge=0, lt=1)] | None = None
    min_density: Annotated[float, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if self.variant is not None and self._given():
            raise ValueError(f"variant {self.variant} is a set of choices: leave out {next(iter(self._given()))}")
        return self

    def _given(self) -> dict[str, str]:
        """The choices that params.yaml states for the level."""
        return {key: getattr(self, key) for key in asdict(Choices()) if getattr(self, key) is not None}

    @property
    def choices(self) -> Choices:
        return PRESETS[self.variant].choices if self.variant else Choices(**self._given())

    @property
    def amount(self) -> str | None:
        """The key that says how much is pruned, if any."""
        return next((key for key in ("prune", "max_error_rise") if getattr(self, key) is not None), None)

    @property
    def options(self) -> dict[str, Any]:
        """The options of the level's methods."""
        return dict(self.model_extra or {})

    @property
    def kind(self) -> str:
        """The level's name in tables: its variant, or a name for its choices."""
        return self.variant or name_of(self.choices, self.amount, self.options)

    @property
    def is_step(self) -> bool:
        """Whether it is pruned from a trained parent, and its survivors are trained from the rewind point."""
        of_parent = self.parent != NO_PARENT and self.amount is not None
        return of_parent and (self.choices.when, self.choices.weights) == ("once", "rewind")


class Pruning(Section):
    """Pruning as a tree of levels, whose roots are dense and none."""

    rewinds: dict[Name, Rewind]
    levels: dict[Name, Level]
    floor: Annotated[int, Field(ge=0)]  # weights that every layer keeps: a layer without any would pass on nothing

    @field_validator("rewinds", "levels")
    @classmethod
    def _names(cls, items: dict[str, Section]) -> dict[str, Section]:
        if dense.NAME in items:
            raise ValueError(f"{dense.NAME} is the name of what the section {dense.NAME} trains; take another")
        if NO_PARENT in items:
            raise ValueError(f"{NO_PARENT} means that a level has no parent; take another name")
        return items


def check_tree(pruning: Pruning) -> None:
    """Check that every level's parent is dense, none or an earlier level, and that its rewind point exists.

    This is for the whole file only: a stage reads one level without the others. Raises ValueError that names the key.
    """
    known = [dense.NAME]
    for name, level in pruning.levels.items():
        if level.parent not in (*known, NO_PARENT):
            problem = "comes after it" if level.parent in pruning.levels else "is no level"
            raise ValueError(
                f"pruning.levels.{name}.parent: {level.parent} {problem}; there are {', '.join(known)}, or {NO_PARENT}"
            )
        if level.rewind not in (dense.NAME, *pruning.rewinds):
            raise ValueError(
                f"pruning.levels.{name}.rewind: {level.rewind} is no rewind point; "
                f"there are {', '.join([dense.NAME, *pruning.rewinds])}"
            )
        if level.variant and PRESETS[level.variant].root and _is_pruned(pruning.levels, level.parent):
            raise ValueError(
                f"pruning.levels.{name}: variant {level.variant} has a dense parent; {level.parent} is pruned already"
            )
        known.append(name)


def _is_pruned(levels: Mapping[str, Level], name: str) -> bool:
    return any(levels[above].variant != "dense" for above in line(levels, name)[1:])


def line(levels: Mapping[str, Level], name: str) -> list[str]:
    """A level and its ancestors, starting with dense or none."""
    above = [name]
    while above[-1] not in (dense.NAME, NO_PARENT):
        above.append(levels[above[-1]].parent)
    return above[::-1]


def with_parents(levels: Mapping[str, Level]) -> list[tuple[str, str]]:
    """The parent's name and the level's, for every level that has a parent."""
    return [(level.parent, name) for name, level in levels.items() if level.parent != NO_PARENT]


def in_order(levels: Mapping[str, Level]) -> dict[str, Level]:
    """The levels in the order of tables and pictures. The order in params.yaml does not matter. Presets come first, in
    their own order. Levels of one preset are sorted by name, l2 before l10."""
    places = {preset: place for place, preset in enumerate(PRESETS)}

    def place(item: tuple[str, Level]) -> tuple[int, list[tuple[str, int]], str]:
        name, level = item
        parts = [(words, int(number or 0)) for words, number in re.findall(r"(\D*)(\d*)", name)]
        return places.get(level.kind, len(places)), parts, name

    return dict(sorted(levels.items(), key=place))
