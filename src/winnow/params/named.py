"""The sections networks and trainings, whose items the sections early, retrain and dense use by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from winnow.errors import UserError
from winnow.params.base import Name, Section, as_yaml, validate
from winnow.params.training import Network, Training


class Named(Section):
    """All networks and trainings of params.yaml, by their names."""

    networks: dict[Name, Network]
    trainings: dict[Name, Training]


def load_named(values: Mapping[str, Any], path: str | Path) -> dict[str, Any]:
    """The networks and trainings in the values of a params file, which ``validate`` needs to check a section.

    Raises UserError that names the key, also if a section spells out its network or training, as in earlier versions.
    """
    for section, content in values.items():
        for kind in ("network", "training"):
            own = content.get(kind) if isinstance(content, dict) else None
            if isinstance(own, dict):
                raise UserError(
                    f"{path}: {section}.{kind}: must be a name now: write {kind}s: {{NAME: {as_yaml(own)}}} at the top "
                    f"of the file, and {kind}: NAME here"
                )
    given = {key: values[key] for key in Named.model_fields if key in values}
    named = validate(Named, given, path)
    return {"networks": named.networks, "trainings": named.trainings}


def _by_name(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, Section):
        return value
    kind = f"{info.field_name}s"
    there = (info.context or {}).get(kind, {})
    if not isinstance(value, str) or value not in there:
        raise ValueError(f"must be one of {kind}, which are {', '.join(there)}, not {as_yaml(value)}")
    return there[value]


UsedNetwork = Annotated[Network, BeforeValidator(_by_name)]  # a name in params.yaml
UsedTraining = Annotated[Training, BeforeValidator(_by_name)]
