"""All of params.yaml as an input, for the stages that read nearly all of it: they declare one file, not every key."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from winnow.params.base import Section, validate
from winnow.params.named import load_named
from winnow.storage import load_json

EXPERIMENT = Path("data/experiment.json")  # the values of params.yaml, as the stage check found them


def experiment(**sections: type[Section]) -> Any:
    """These sections, checked, as attributes; ``values`` has everything, unchecked."""
    values = load_json(EXPERIMENT)
    named = load_named(values, "params.yaml")
    checked = {
        key: validate(model, values.get(key, {}), "params.yaml", (key,), named) for key, model in sections.items()
    }
    return SimpleNamespace(**checked, values=values)
