"""The section select: the subsets of the training images."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, field_validator

from winnow.params.base import Section, Seed, as_yaml
from winnow.params.options import checked_options, options
from winnow.scores import names
from winnow.selection.choose import method as find_method
from winnow.selection.methods import METHODS
from winnow.selection.names import parse_name


@dataclass(frozen=True)
class Choice:
    """A selection method by its name, and all its options."""

    method: str
    options: dict[str, Any]


class Select(Section):
    """The subsets: every method at every keep.

    methods: a list of short names (selection.names), or a map from names of the user's own to a method and its options,
    such as ``{k_center: {epoch: 4}, hard: {method: ranked, score: el2n}}``.
    """

    methods: Annotated[list[str], Field(min_length=1)] | dict[str, dict[str, Any]]
    keep: Annotated[list[Annotated[float, Field(gt=0)] | Annotated[int, Field(ge=1)]], Field(min_length=1)]
    epoch: Annotated[int, Field(ge=0)]  # of scores and features, where a method does not name its own
    seed: Seed  # of what methods draw

    @field_validator("methods")
    @classmethod
    def _methods(cls, methods: list[str] | dict[str, dict[str, Any]]) -> list[str] | dict[str, dict[str, Any]]:
        if len(set(methods)) != len(methods):
            raise ValueError("names a method twice")
        choices(methods, 0)
        if "random" not in methods:
            raise ValueError("must hold random: every method is compared with a random subset of the same size")
        return methods

    @field_validator("keep")
    @classmethod
    def _keep(cls, keep: list[float | int]) -> list[float | int]:
        for value in keep:
            if isinstance(value, float) and value >= 1:
                raise ValueError(
                    f"{value} is not a share kept: give a share between 0 and 1, or a whole number of images"
                )
        if len(set(keep)) != len(keep):
            raise ValueError("names a share twice")
        return keep


def choices(methods: Sequence[str] | Mapping[str, Mapping[str, Any]], epoch: int) -> dict[str, Choice]:
    """What ``select.methods`` says, with ``epoch`` where a method names none. Raises ValueError for what is wrong."""
    given = methods if isinstance(methods, Mapping) else {name: {} for name in methods}
    return {name: _choice(name, dict(values), epoch) for name, values in given.items()}


def _choice(name: str, values: dict[str, Any], epoch: int) -> Choice:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise ValueError(f"{name!r}: a name is made of letters, digits, _, - and .")
    method = values.pop("method", name)
    if not isinstance(method, str):
        raise ValueError(f"select.methods.{name}.method: must be one of {', '.join(METHODS)}, not {as_yaml(method)}")
    if method not in METHODS and not values:
        method, values = "ranked", parse_name(method)
    function = find_method(method)
    usual = {"epoch": (Annotated[int, Field(ge=0)], epoch)} if "epoch" in options(function) else {}
    found = checked_options([function], values, f"select.methods.{name}", usual)
    if found.get("score") not in (None, *names.ALL):
        raise ValueError(f"{name!r}: unknown score {found['score']!r}; there are {', '.join(names.ALL)}")
    return Choice(method, found)
