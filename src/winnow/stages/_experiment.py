"""Files of ``check`` with values of params.yaml: for stages that would have to declare nearly every key, or all levels
of pruning. DVC writes every value of a declared key into dvc.lock, once for each stage."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from winnow.params.base import Section, validate
from winnow.params.named import load_named
from winnow.params.pruning import Level, in_order
from winnow.storage import load_json

EXPERIMENT = Path("data/code/experiment.json")  # all but the look of pictures
LEVELS = Path("data/code/levels.json")  # the levels of pruning


def experiment(**sections: type[Section]) -> Any:
    """These sections, checked, as attributes; ``values`` has everything, unchecked."""
    values = load_json(EXPERIMENT)
    named = load_named(values, "params.yaml")
    checked = {
        key: validate(model, values.get(key, {}), "params.yaml", (key,), named) for key, model in sections.items()
    }
    return SimpleNamespace(**checked, values=values)


def levels() -> dict[str, Level]:
    """The levels of pruning by name, in the order of ``in_order``."""
    return in_order(
        {
            name: validate(Level, values, "params.yaml", ("pruning", "levels", name))
            for name, values in load_json(LEVELS).items()
        }
    )
