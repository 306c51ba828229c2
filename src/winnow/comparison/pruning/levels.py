"""The levels of a comparison: of a recipe's levels, each a method, every one at every density, and the checks of each
ticket (Frankle et al. 2021, "Pruning neural networks at initialization: why are we missing the mark?", section 5)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from winnow import methods
from winnow.errors import UserError
from winnow.params.dense import NAME as DENSE
from winnow.params.presets import NONE, PRESETS
from winnow.params.pruning import NO_PARENT, Level
from winnow.pruning.families import ALLOCATIONS, DURING
from winnow.pruning.weights import MAKE_UP

SHUFFLED, FRESH, INVERTED = CHECKS = ("shuffled", "fresh", "inverted")
# criteria that look at no image; a test compares them with the table of docs/pruning.md
WITHOUT_IMAGES = ("batch_norm_scale", "filter_norm", "fpgm", "magnitude", "random", "synflow")
GROUPS = {
    "before": "pruned before training",
    "during": "pruned during training",
    "after": "pruned after training, at once",
    "iterated": "pruned after training, cut by cut",
    "untrained": "with little or no training after the cut",
    "patterned": "in a pattern or in whole channels",
}
Levels = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Measured:
    """One level of the comparison.

    density: of all weights, or of all multiplications, as asked for. check: "" for the method itself. group: of GROUPS.
    trainings: from the initialisation to the trained ticket, the dense one included. images: whether images decide
    which weights stay, or what they are before the training. channels: whether whole channels are pruned. retraining:
    what follows a single cut of the dense network, the same for methods that differ in the cut alone; "" if there is no
    such cut, or no training after it.
    """

    level: str
    method: str
    density: float
    check: str
    group: str
    trainings: int
    images: bool
    channels: bool
    retraining: str


def compared(given: Mapping[str, Mapping[str, Any]], densities: Sequence[float]) -> tuple[Levels, list[Measured]]:
    """The levels of params.yaml for these methods, and what each is.

    given: levels of a recipe, whole (``recipe.expanded``), by the method's name. A variant of single cuts, such as
    imp, goes from density to density in cuts of at most its ``prune``; all others are pruned to each density at once,
    whatever their ``prune``. A structure that says itself how many weights it keeps has that one density. densities:
    falling, between 0 and 1.

    Raises UserError that names the method if it cannot be compared like this.
    """
    levels: Levels = {}
    measured: list[Measured] = []
    for method, values in given.items():
        level = Level(**values)
        _check(method, level)
        about = (_looks_at_images(level), level.choices.structure == "channels", _retraining(level))
        for density, own in _tickets(method, level, values, densities).items():
            ticket = next(reversed(own))
            checks = _checks(level, ticket, own[ticket])
            levels |= own | {f"{ticket}_{check}": of_check for check, of_check in checks.items()}
            for name, check in [(ticket, ""), *((f"{ticket}_{check}", check) for check in checks)]:
                trainings = _trainings(levels, levels[name])
                measured.append(Measured(name, method, density, check, _group(level), trainings, *about))
    return levels, measured


def _tickets(method: str, level: Level, values: Mapping[str, Any], densities: Sequence[float]) -> dict[float, Levels]:
    """For each density the levels that lead to the method's ticket, which is the last of them."""
    if level.prune is None:
        options = {"n": 2, "m": 4, **level.options}
        return {options["n"] / options["m"]: {method: dict(values)}}
    if iterated(level):
        return _cut_by_cut(method, values, densities)
    return {density: {_name(method, density): {**values, "prune": _cut(density)}} for density in densities}


def iterated(level: Level) -> bool:
    """Whether the level is one of several cuts, with a training after each."""
    preset = PRESETS[level.variant] if level.variant else None
    return preset is not None and preset.amount == "prune" and not (preset.root or preset.aside)


def _check(method: str, level: Level) -> None:
    key = f"pruning.levels.{method}"
    if level.parent not in (DENSE, NO_PARENT):
        raise UserError(f"{key}.parent: must be {DENSE} or {NO_PARENT}: the comparison makes the levels in between")
    if level.max_error_rise is not None:
        raise UserError(f"{key}: max_error_rise asks for no density; give prune")
    if level.prune is None and level.choices.when != "once":
        raise UserError(
            f"{key}.when: {level.choices.when} settles the density by its training, so you cannot ask for one; leave "
            "the method out"
        )
    if level.prune is None and (level.choices.structure == "weights" or level.choices.criterion == NONE):
        raise UserError(f"{key}: prunes nothing; give prune, such as prune: 0.5")
    if level.choices.structure == "blocks":
        raise UserError(
            f"{key}.structure: blocks have the sizes that the network gives them, not the densities asked for"
        )


def _cut_by_cut(method: str, values: Mapping[str, Any], densities: Sequence[float]) -> dict[float, Levels]:
    """For each density the levels from the density before: equal cuts, the fewest of at most ``prune``."""
    found: dict[float, Levels] = {}
    parent, before = values["parent"], 1.0
    for density in densities:
        cuts = max(1, math.ceil(math.log(density / before) / math.log(1 - values["prune"]) - 1e-9))
        own: Levels = {}
        for number in range(1, cuts + 1):
            name = _name(method, density) + (f"_cut{number}" if number < cuts else "")
            own[name] = {**values, "parent": parent, "prune": round(1 - (density / before) ** (1 / cuts), 6)}
            parent = name
        found[density], before = own, density
    return found


def _cut(density: float) -> float:
    return round(1 - density, 6)


def _name(method: str, density: float) -> str:
    return f"{method}_{f'{100 * density:g}'.replace('.', 'p')}"


def _checks(level: Level, ticket: str, values: Mapping[str, Any]) -> Levels:
    """The checks of a ticket. A random mask needs none; a pattern is shuffled only by another pattern, which is a
    method of its own; and without a whole training of the weights, a new one would have more. Scores below zero, as
    inverted ones are, do not suit every allocation."""
    choices = level.choices
    if choices.criterion == NONE or (choices.criterion == "random" and choices.when == "once"):
        return {}
    base = {"parent": ticket, "rewind": values["rewind"], "data": values["data"]}
    found: Levels = {}
    during = methods.find(DURING, choices.when) if choices.when != "once" else None
    holds = during is not None and methods.has_mark(during, "HOLDS_WEIGHTS")
    if choices.schedule != "no_training" and choices.trains == "all" and not holds:
        if choices.structure == "weights":
            found[SHUFFLED] = {**base, "variant": "random"}
        found[FRESH] = {**base, "variant": "fresh"}
    own_scores = during is not None and methods.has_mark(during, "OWN_SCORES")  # which no criterion gives
    at_least_zero = methods.has_mark(methods.find(ALLOCATIONS, choices.allocation), "AT_LEAST_ZERO")
    if not (
        choices.criterion == "random" or iterated(level) or own_scores or at_least_zero or choices.weights == "updated"
    ):
        found[INVERTED] = {**values, "inverted": True}
    return found


def _group(level: Level) -> str:
    choices = level.choices
    found = {
        "patterned": choices.structure != "weights",
        "untrained": choices.schedule == "no_training" or choices.trains != "all",
        "during": choices.when != "once",
        "before": level.parent == NO_PARENT,
        "iterated": iterated(level),
    }
    return next((group for group, fits in found.items() if fits), "after")


def _retraining(level: Level) -> str:
    choices = level.choices
    if level.parent != DENSE or choices.when != "once" or choices.schedule == "no_training" or iterated(level):
        return ""
    return " ".join((choices.weights, choices.schedule, choices.trains, level.rewind, level.data))


def _trainings(levels: Levels, values: Mapping[str, Any]) -> int:
    """How many trainings lead to a level and its own, whole or from the rewind point on."""
    own = {"no_training": 0, "same_budget": 2}.get(Level(**values).choices.schedule, 1)  # a budget: at most two
    parent = values["parent"]
    if parent == NO_PARENT:
        return own
    return own + (1 if parent == DENSE else _trainings(levels, levels[parent]))


def _looks_at_images(level: Level) -> bool:
    choices = level.choices
    during = methods.find(DURING, choices.when) if choices.when != "once" else None
    by_gradients = during is not None and methods.has_mark(during, "BY_GRADIENTS")
    return choices.criterion not in (*WITHOUT_IMAGES, NONE) or by_gradients or choices.weights in MAKE_UP
