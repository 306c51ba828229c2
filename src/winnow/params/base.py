"""What every section of params.yaml shares: strictness, durations, and reading a file with errors a user can act on."""

import difflib
import json
import re
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from winnow.errors import UserError


def _duration(value: Any) -> str:
    if not (isinstance(value, str) and re.fullmatch(r"\d+ (epochs?|steps?)", value)):
        raise ValueError(f'must be a count with its unit, such as "20 epochs" or "1560 steps", not {as_yaml(value)}')
    return value


def _replicates(seeds: list[int]) -> list[int]:
    if len(set(seeds)) != len(seeds):
        raise ValueError("names a seed twice")
    return seeds


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise ValueError("a name is made of letters, digits and _")
    return name


Duration = Annotated[str, BeforeValidator(_duration)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Name = Annotated[str, AfterValidator(_name)]  # of an item of a map; a stage and a file get this name
Replicates = Annotated[list[Seed], AfterValidator(_replicates)]  # the seeds of one repeated experiment


def steps(duration: str, steps_per_epoch: int) -> int:
    """A duration such as "20 epochs" or "1560 steps" as a number of optimiser steps."""
    count, unit = duration.split()
    return int(count) * (steps_per_epoch if unit.startswith("epoch") else 1)


class Section(BaseModel):
    """A part of params.yaml: unknown keys and wrong types are errors, and values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Section)

# What would be right, by pydantic's type of error, in the user's words rather than Python's
RIGHT = {
    "bool_type": "true or false",
    "dict_type": "a map of names to values",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge}",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "invalid_key": "text",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "list_type": "a list, in brackets",
    "literal_error": "{expected}",
    "model_type": "a section with keys of its own",
    "string_type": "text",
    "too_short": "a list with at least one item",
}


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read the map in a YAML file. Raises UserError that names the file and the line if it cannot."""
    from ruamel.yaml import YAML, YAMLError  # YAML 1.2, as DVC reads it: 5e-4 is a number, which PyYAML takes for text

    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; winnow recipe default writes one") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not YAML: not text in UTF-8") from None
    try:
        values = YAML(typ="safe").load(StringIO(text))
    except (YAMLError, ValueError) as error:  # ValueError: a date such as 2001-13-45
        mark = getattr(error, "problem_mark", None)
        problem = (getattr(error, "problem", None) or str(error)).splitlines()[0]
        raise UserError(f"{path}{f' line {mark.line + 1}' if mark else ''}: not YAML: {problem}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: must be a map of sections, such as download, early and select")
    return values


def validate(
    model: type[Model], values: Any, path: str | Path, prefix: tuple[str, ...] = (), named: dict[str, Any] | None = None
) -> Model:
    """Validate the values as a model; ``prefix`` is their key in the file at ``path``.

    named: the networks and trainings of the file (``named.load_named``), for a model that uses them.

    Raises UserError that names the file and the key, and says what would be right.
    """
    try:
        return model.model_validate(values, context=named)
    except ValidationError as error:
        text = _explain(error, model, prefix)
        shown = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)  # of keys, names
        raise UserError(f"{path}: {shown}") from None


def as_yaml(value: Any) -> str:
    """A value as a YAML file could hold it, in one line, truncated to a readable length."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:59]}…"


RENAMED = {  # keys of earlier versions
    "imp": "pruning",
    "cut": "prune",
    "budget": "max_error_rise",
    "until": "min_density",
    "probe": "eval_images",
    "lengths": "scales",
    "statistics": "batch_norm",
    "steps": "lanczos_steps",
}


def _explain(error: ValidationError, model: type[Section], prefix: tuple[str, ...]) -> str:
    """The first error, in one line: the key's full path, what would be right, and how many other errors there are."""
    first = error.errors()[0]
    if first["type"] == "missing":  # perhaps because of a typo: then report the misspelt key
        extra = [e for e in error.errors() if e["type"] == "extra_forbidden" and e["loc"][:-1] == first["loc"][:-1]]
        first = (extra or [first])[0]
    is_key = first["type"] == "invalid_key" or first["loc"][-1:] == ("[key]",)  # the key itself is wrong
    # pydantic adds the alternatives of a union to the path, such as list[str]
    parts = [str(part) for part in first["loc"] if not re.search(r"\[|constrained-|^(float|int)$", str(part))]
    key = ".".join([*prefix, *parts])
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, first["loc"][:-1])
        close = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        new = RENAMED.get(str(first["loc"][-1]))
        message = f"is called {new} now" if new in known else f"no such key; {hint}"
    elif first["type"] == "missing":
        message = "is missing; it must be given"
    elif first["type"] == "value_error":
        message = first["msg"].removeprefix("Value error, ")
    else:
        right = RIGHT.get(first["type"], f"right ({first['msg']})").format(**first.get("ctx", {}))
        message = f"{'a key ' if is_key else ''}must be {right}, not {as_yaml(first['input'])}"
    # a validator of a whole section or file names its key itself
    text = f"{key}: {message}" if key and not message.startswith(key.split(".")[0] + ".") else message
    others = len({e["loc"][:2] for e in error.errors()}) - 1
    return text + (f" (and {others} more to mend)" if others > 0 else "")


def _fields_at(model: Any, location: tuple[int | str, ...]) -> list[str]:
    """The keys of the section at this location; the way there may lead through maps of names to sections."""
    for part in location:
        model = get_args(model)[1] if get_origin(model) is dict else model.model_fields[part].annotation
    return list(model.model_fields)
