"""The options of methods: the keyword arguments of their functions, whose signatures are the schema."""

from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, signature
from typing import Any

from pydantic import create_model

from winnow.errors import UserError
from winnow.params.base import Section, validate

Functions = Iterable[Callable[..., Any]]


def options(function: Callable[..., Any]) -> dict[str, Parameter]:
    """The options of a method's function, by name."""
    return {name: item for name, item in signature(function).parameters.items() if item.kind is Parameter.KEYWORD_ONLY}


def checked_options(
    functions: Functions, values: Mapping[str, Any], key: str = "", others: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """All options of these functions: the given values, and the defaults of the rest.

    others: further names that the values may hold, each with its type and default; they replace options of the same
    name. Raises ValueError that names the option, below ``key`` of params.yaml, and says what would be right.
    """
    fields: dict[str, Any] = {
        name: (item.annotation, ... if item.default is Parameter.empty else item.default)
        for function in functions
        for name, item in options(function).items()
    }
    model = create_model("Options", __base__=Section, **{**fields, **(others or {})})
    try:
        checked = validate(model, values, "", tuple(key.split(".")) if key else ())
    except UserError as error:
        raise ValueError(str(error).removeprefix(": ")) from None
    return {name: getattr(checked, name) for name in fields}
