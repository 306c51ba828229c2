"""The choices that say what a level does, by name, and the names of common combinations."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

NONE = "none"  # of a criterion: the mask stays as it is


@dataclass(frozen=True)
class Choices:
    """The criterion, how many weights each layer keeps, when the others are pruned, what the survivors start from, the
    schedule of their training, and which parameters train: names of methods of ``pruning.families``, and of entries in
    ``pruning.weights``, ``pruning.schedules`` and ``pruning.trains``.
    """

    criterion: str = "magnitude"  # or none
    allocation: str = "global"
    structure: str = "weights"  # single ones, or the pattern that the remaining weights form
    when: str = "once"  # or a way of pruning during the training
    weights: str = "rewind"
    schedule: str = "rest"
    trains: str = "all"


@dataclass(frozen=True)
class Preset:
    """A combination with a name of its own.

    amount: the key that says how much is pruned: prune, max_error_rise or none. aside: whether it is a side branch
    of the tree, and not a way to reach a sparsity. root: whether its parent must not be pruned yet.
    """

    title: str  # in pictures
    choices: Choices = field(default=Choices())
    amount: str | None = None
    aside: bool = False
    root: bool = False


PRESETS = {
    "imp": Preset("IMP", amount="prune"),
    "learning_rate": Preset("learning-rate rewinding", Choices(weights="trained"), "prune"),
    "fine_tuning": Preset("fine-tuning", Choices(weights="trained", schedule="last_rate"), "prune"),
    "perp": Preset("PERP", Choices(weights="trained", trains="norms_and_biases"), "prune"),
    "one_shot": Preset("one-shot", amount="prune", root=True),
    "trial": Preset("trial cuts", amount="prune", aside=True),  # to see how much can be pruned at once
    "adaptive": Preset("adaptive cuts", amount="max_error_rise"),
    "random": Preset("random mask", Choices("random", "of_parent")),
    "fresh": Preset("fresh initialisation", Choices(NONE, weights="fresh", schedule="full")),
    "longer": Preset("fresh, longer", Choices(NONE, weights="fresh", schedule="same_budget")),
    "dense": Preset("all weights", Choices(NONE), root=True),  # a root beside the dense baseline
}


def name_of(choices: Choices, amount: str | None, options: Mapping[str, Any]) -> str:
    """A name for a combination, in tables and pictures: a preset's, or what differs from ``imp``, such as snip+erk."""
    for name, preset in PRESETS.items():
        if (preset.choices, preset.amount) == (choices, amount) and not (options or preset.root):
            return name
    usual = asdict(Choices())
    words = [value for key, value in asdict(choices).items() if value != usual[key] and value != NONE]
    words += ["adaptive"] if amount == "max_error_rise" else []
    words += ["unpruned"] if amount is None and choices.criterion == NONE else []
    return "+".join([*words, *(f"{key}={value}" for key, value in sorted(options.items()))])
