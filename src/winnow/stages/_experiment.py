"""All of params.yaml but the look of pictures as one input, for stages that would have to declare nearly every key."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from winnow.params.base import Section, validate
from winnow.params.named import load_named
from winnow.storage import load_json

EXPERIMENT = Path("data/code/experiment.json")  # written by the stage check


def experiment(**sections: type[Section]) -> Any:
    """These sections, checked, as attributes; ``values`` has everything, unchecked."""
    values = load_json(EXPERIMENT)
    named = load_named(values, "params.yaml")
    checked = {
        key: validate(model, values.get(key, {}), "params.yaml", (key,), named) for key, model in sections.items()
    }
    return SimpleNamespace(**checked, values=values)
