"""The selection methods that params.yaml names, with all their options."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from winnow import methods
from winnow.params.base import as_yaml
from winnow.params.options import checked_options, options
from winnow.params.select import Select
from winnow.params.sweep import Sweep
from winnow.selection.choose import METHODS
from winnow.selection.choose import method as find_method
from winnow.selection.names import parse_name


@dataclass(frozen=True)
class Choice:
    """The name of a selection method, and all its options; given: names of the options that params.yaml sets."""

    method: str
    options: dict[str, Any]
    given: frozenset[str]


def all_choices(select: Select, sweep: Sweep) -> dict[str, Choice]:
    """The methods of both sections. A name in both means what select says. Raises ValueError that names the key."""
    own = choices(select.methods, select.epoch)
    further = [name for name in sweep.methods if name not in own]
    return own | choices(further, select.epoch, "sweep.methods")


def all_subsets(select: Select, sweep: Sweep) -> dict[str, tuple[str, float | int]]:
    """Every subset's method and keep, by its name METHOD-KEEP: first those of select, then those of sweep."""
    return selected(select) | selected(sweep)


def selected(section: Select | Sweep) -> dict[str, tuple[str, float | int]]:
    """The same of one section."""
    return {f"{method}-{keep}": (method, keep) for method in section.methods for keep in section.keep}


def choices(
    asked: Sequence[str] | Mapping[str, Mapping[str, Any]], epoch: int, key: str = "select.methods"
) -> dict[str, Choice]:
    """The methods of a key of params.yaml; ``epoch`` is their default epoch. Raises ValueError that names the key."""
    given = asked if isinstance(asked, Mapping) else {name: {} for name in asked}
    return {name: _choice(name, dict(values), epoch, key) for name, values in given.items()}


def _choice(name: str, values: dict[str, Any], epoch: int, key: str) -> Choice:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise ValueError(f"{key}: {name!r}: a name is made of letters, digits, _, - and .")
    there, method = methods.names(METHODS), values.pop("method", name)
    if not isinstance(method, str):
        raise ValueError(f"{key}.{name}.method: must be one of {', '.join(there)}, not {as_yaml(method)}")
    try:
        if method not in there and not values:
            method, values = "ranked", parse_name(method)
        function = find_method(method)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
    usual = {"epoch": (Annotated[int, Field(ge=0)], epoch)} if "epoch" in options(function) else {}
    found = checked_options([function], values, f"{key}.{name}", usual)
    return Choice(method, found, frozenset(values))
