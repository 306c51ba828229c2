"""What every section of params.yaml shares: strictness, durations, and reading a file with errors a user can act on."""

import difflib
import re
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from winnow.errors import UserError


def _duration(text: str) -> str:
    if not re.fullmatch(r"\d+ (epochs?|steps?)", text):
        raise ValueError(f'must be a count with its unit, such as "20 epochs" or "1560 steps", not {text!r}')
    return text


Duration = Annotated[str, AfterValidator(_duration)]
Share = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


def steps(duration: str, steps_per_epoch: int) -> int:
    """A duration such as "20 epochs" or "1560 steps" as a number of optimiser steps."""
    count, unit = duration.split()
    return int(count) * (steps_per_epoch if unit.startswith("epoch") else 1)


class Section(BaseModel):
    """A part of params.yaml: unknown keys and wrong types are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Model = TypeVar("Model", bound=Section)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """The map in a YAML file. Raises UserError, naming the file and the line, if there is none."""
    from ruamel.yaml import YAML, YAMLError  # YAML 1.2, as DVC reads it: 5e-4 is a number, which PyYAML takes for text

    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; copy one from recipes/") from None
    try:
        values = YAML(typ="safe").load(StringIO(text))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = (getattr(error, "problem", None) or str(error)).splitlines()[0]
        raise UserError(f"{path}{f' line {mark.line + 1}' if mark else ''}: not YAML: {problem}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: must be a map of sections, such as download, early and select")
    return values


def validate(model: type[Model], values: Any, path: str | Path, prefix: tuple[str, ...] = ()) -> Model:
    """The values as a model; ``prefix`` is the key under which they stand in the file at ``path``.

    Raises UserError that names file and key, and says what would be right.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{path}: {_explain(error, model, prefix)}") from None


def _explain(error: ValidationError, model: type[Section], prefix: tuple[str, ...]) -> str:
    """The first thing wrong, in one line, with the key's full path and what would be right; and how many more."""
    first = error.errors()[0]
    # pydantic adds the alternatives of a union to the path ("constrained-int"); a user's key never holds a dash
    key = ".".join(
        str(part) for part in (*prefix, *first["loc"]) if "-" not in str(part) and part not in ("float", "int")
    )
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, first["loc"][:-1])
        close = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        message = f"no such key; {hint}"
    elif first["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:]}, not {first['input']!r}"
    # _explain's own value errors of a whole section or file name their key themselves
    text = f"{key}: {message}" if key and not message.startswith(key.split(".")[0] + ".") else message
    others = len({e["loc"][:2] for e in error.errors()}) - 1
    return text + (f" (and {others} more like it)" if others > 0 else "")


def _fields_at(model: Any, location: tuple[int | str, ...]) -> list[str]:
    for part in location:
        model = model.model_fields[part].annotation
    return list(model.model_fields)
