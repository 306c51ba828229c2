"""From a level's choices to the functions that they name; the functions' signatures are the schema of the level's
options."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from winnow import methods
from winnow.params.options import checked_options, options
from winnow.params.presets import NONE, PRESETS, Choices
from winnow.params.pruning import NO_PARENT, Level
from winnow.pruning.activating import activating
from winnow.pruning.distilling import distilling
from winnow.pruning.families import ALLOCATIONS, CRITERIA, DURING, STRUCTURES
from winnow.pruning.patterns import counts_with, takes_prune
from winnow.pruning.rounds import comes_back, in_rounds, usual_rounds
from winnow.pruning.rule import Rule
from winnow.pruning.schedules import SCHEDULES
from winnow.pruning.trains import TRAINS
from winnow.pruning.weights import MAKE_UP, WEIGHTS

EXAMPLES = {"prune": 0.2, "max_error_rise": 0.02}
FAMILIES = {  # by choice: the family, and the name that means none of its methods
    "criterion": (CRITERIA, NONE),
    "allocation": (ALLOCATIONS, ""),
    "structure": (STRUCTURES, "weights"),
    "when": (DURING, "once"),
}


def methods_of(level: Level) -> dict[str, list[str]]:
    """The methods that a level uses, by family."""
    chosen = {family: (getattr(level.choices, choice), without) for choice, (family, without) in FAMILIES.items()}
    return {family: [name] if name != without else [] for family, (name, without) in chosen.items()}


def rule_of(name: str, level: Level, floor: int) -> Rule:
    """What the level of this name does. Raises a ValueError that names the key and says what would be right."""
    key, choices = f"pruning.levels.{name}", level.choices
    functions = _functions(key, choices)
    own_scores = "when" in functions and methods.has_mark(functions["when"], "OWN_SCORES")
    own_amount = "when" in functions and methods.has_mark(functions["when"], "OWN_AMOUNT")
    if own_scores:
        _check_own_scores(key, choices, functions["allocation"], own_amount)
    elif "criterion" in functions:
        functions["rounds"] = in_rounds
    functions["trains"] = TRAINS[choices.trains]
    anywhere = methods.has_mark(functions["allocation"], "ANYWHERE")
    if "rounds" in functions and "when" not in functions and "structure" not in functions and not anywhere:
        functions["activating"] = activating
    functions["distilling"] = distilling
    bound = _with_options(key, level, functions)
    moves = "when" in functions and methods.has_mark(functions["when"], "MOVES")
    before = moves or "when" not in functions
    patterned = "structure" in functions and not takes_prune(functions["structure"])
    if "structure" not in functions and methods.has_mark(functions["allocation"], "ONLY_CHANNELS"):
        raise ValueError(
            f"{key}.allocation: {choices.allocation} counts channels; give structure: channels, or another"
        )
    if "structure" in functions:
        counted = counts_with(functions["structure"], functions["allocation"])
        _check_structure(key, choices, level, not patterned, counted)
    _check_amount(key, level, anywhere or choices.criterion == NONE or patterned or own_amount, before or own_amount)
    _check_parent(key, level, anywhere)
    _check_training(key, level)
    update = None
    if choices.weights in MAKE_UP and not before:
        raise ValueError(f"{key}.weights: {choices.weights} is for levels pruned before the training; take when: once")
    if choices.weights == "updated":
        found = methods.mark_of(functions["criterion"], "update", None) if "criterion" in functions else None
        if found is None:
            raise ValueError(
                f"{key}.weights: updated needs a criterion that has an update, such as woodfisher or sparsegpt"
            )
        update = partial(found, **bound["criterion"].keywords)
    several = before and not patterned
    return Rule(
        criterion=bound.get("criterion"),
        allocation=bound["allocation"],
        structure=bound.get("structure"),
        anywhere=anywhere,
        during=bound.get("when"),
        moves=moves,
        weights=WEIGHTS[choices.weights],
        schedule=SCHEDULES[choices.schedule],
        fraction=level.prune,
        max_error_rise=level.max_error_rise,
        min_density=level.min_density,
        floor=floor,
        rounds=_rounds(bound["rounds"], functions["criterion"], several) if "rounds" in bound else in_rounds,
        uses=methods.has_mark(functions["allocation"], "USES"),
        update=update,
        makes_up=choices.weights in MAKE_UP,
        trains=bound["trains"],
        activating=bound.get("activating"),
        distilling=bound["distilling"] if bound["distilling"].keywords["distil"] else None,
        recalibrates=choices.schedule == "no_training",
        has_parent=level.parent != NO_PARENT,
    )


def _functions(key: str, choices: Choices) -> dict[str, Callable[..., Any]]:
    """The function of every choice that names one."""
    functions: dict[str, Callable[..., Any]] = {}
    for choice, (family, without) in FAMILIES.items():
        chosen = getattr(choices, choice)
        if chosen != without:
            try:
                functions[choice] = methods.find(family, chosen)
            except ValueError as error:
                raise ValueError(f"{key}.{choice}: {error}{f', or {without}' if without else ''}") from None
    for choice, those in (("weights", WEIGHTS), ("schedule", SCHEDULES), ("trains", TRAINS)):
        if getattr(choices, choice) not in those:
            raise ValueError(f"{key}.{choice}: must be one of {', '.join(those)}, not {getattr(choices, choice)}")
    return functions


def _rounds(bound: "partial[Any]", criterion: Callable[..., Any], several: bool) -> Callable[..., Any]:
    """The function of the rounds. Where params.yaml does not say how many, as many as the criterion is meant for; but
    one if not several: the training itself lies between the cuts, or a structure alone says what remains."""
    usual = usual_rounds(criterion) if several else 1
    rounds = bound.keywords["rounds"] or usual
    return partial(bound, comes_back=comes_back(criterion), rounds=rounds)


def _with_options(key: str, level: Level, functions: Mapping[str, Callable[..., Any]]) -> dict[str, "partial[Any]"]:
    """The functions with the level's options, which it checks, filled in."""
    others = {name: (field.annotation, None) for name, field in Level.model_fields.items()}
    found = checked_options(functions.values(), level.model_dump(exclude_unset=True), key, others)
    return {
        choice: partial(function, **{name: found[name] for name in options(function)})
        for choice, function in functions.items()
    }


def _check_amount(key: str, level: Level, takes_none: bool, any_amount: bool) -> None:
    """A level that prunes gives one amount (prune or max_error_rise); a level that does not prune gives none. One that
    prunes during the training gives prune (not any_amount), unless the training settles the amount."""
    choices = level.choices
    if level.variant:
        by, wanted = f"variant {level.variant}", PRESETS[level.variant].amount
    else:
        by = f"criterion {choices.criterion} with allocation {choices.allocation}"
        by = by if choices.structure == "weights" else f"structure {choices.structure}"
        by = by if choices.when == "once" or not takes_none else f"when {choices.when}"
        usual = level.amount if choices.structure == "weights" else None  # other structures have no adaptive cut
        wanted = None if takes_none else usual or "prune"
    for amount in ("prune", "max_error_rise"):
        if amount == wanted and getattr(level, amount) is None:
            raise ValueError(f"{key}: {by} needs {amount}, such as {amount}: {EXAMPLES[amount]}")
        if amount != wanted and getattr(level, amount) is not None:
            raise ValueError(f"{key}: {by} takes no {amount}; leave it out")
    if level.min_density is not None and wanted != "max_error_rise":
        raise ValueError(f"{key}: {by} takes no min_density; leave it out")
    if not any_amount and wanted != "prune":
        raise ValueError(f"{key}.when: {choices.when} needs prune, such as 0.8, and a criterion")


def _check_own_scores(key: str, choices: Choices, allocation: Callable[..., Any], own_amount: bool) -> None:
    """What prunes by scores of its own leaves nothing for a criterion to do; if it settles the amount too, nothing for
    an allocation."""
    if choices.criterion != Choices().criterion:
        raise ValueError(f"{key}.criterion: {choices.when} has scores of its own; leave it out")
    if own_amount and choices.allocation != Choices().allocation:
        raise ValueError(f"{key}.allocation: {choices.when} takes none; leave it out")
    if methods.has_mark(allocation, "AT_LEAST_ZERO"):
        raise ValueError(
            f"{key}.allocation: {choices.allocation} takes scores of at least zero, which {choices.when} does not give"
        )


def _check_structure(key: str, choices: Choices, level: Level, takes_prune: bool, of_channels: bool) -> None:
    """A structure needs scores, and a mask that changes would break it. Unless it takes an amount, it says itself how
    many weights each layer keeps."""
    if choices.allocation != "global" and not of_channels:
        takes = "counts channels, and takes another" if takes_prune else "takes none; leave it out"
        raise ValueError(f"{key}.allocation: structure {choices.structure} {takes}")
    if choices.when != "once":
        raise ValueError(f"{key}.when: structure {choices.structure} takes none; leave it out")
    if not takes_prune and (level.model_extra or {}).get("rounds", 1) != 1:
        raise ValueError(f"{key}.rounds: structure {choices.structure} takes none; leave it out")
    if choices.criterion == NONE:
        raise ValueError(f"{key}.criterion: structure {choices.structure} needs one, such as magnitude")


def _check_training(key: str, level: Level) -> None:
    """What changes the mask in training needs a training, in which all weights have gradients."""
    choices = level.choices
    if choices.when != "once":
        for choice, wrong in (
            ("schedule", choices.schedule in ("no_training", "same_budget")),
            ("trains", choices.trains != "all"),
        ):
            if wrong:
                raise ValueError(f"{key}.{choice}: {getattr(choices, choice)} is for levels pruned once; leave it out")
    if choices.schedule == "no_training" and choices.trains != "all":
        raise ValueError(f"{key}.trains: schedule no_training trains none; leave it out")
    if choices.schedule == "no_training" and level.options.get("distil"):
        raise ValueError(f"{key}.distil: schedule no_training teaches none; leave it out")
    if level.options.get("distil_temperature") and not level.options.get("distil"):
        raise ValueError(f"{key}.distil_temperature: without distil there is no teacher; give distil, such as 0.5")


def _check_parent(key: str, level: Level, anywhere: bool) -> None:
    """A level without a parent cannot ask for its trained weights, its error or its mask."""
    if level.parent != NO_PARENT:
        return
    if level.choices.weights in ("trained", *MAKE_UP):
        raise ValueError(f"{key}.weights: without a parent there are no trained weights; take rewind or fresh")
    if level.max_error_rise is not None:
        raise ValueError(f"{key}.max_error_rise: needs a trained parent; without one, give prune")
    if level.options.get("activate"):
        raise ValueError(f"{key}.activate: without a parent no weight has moved; leave it out")
    if level.options.get("distil"):
        raise ValueError(f"{key}.distil: without a parent there is no teacher; leave it out")
    if anywhere:
        raise ValueError(f"{key}.allocation: without a parent there is no {level.choices.allocation}")
