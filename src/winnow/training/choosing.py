"""Make plans by the name of a method and its options."""

from collections.abc import Callable, Mapping
from typing import Any

from winnow import methods
from winnow.params.options import checked_options
from winnow.training.plan import Plan

VISITS = "winnow.training.visits"


def visits_method(name: Any) -> Callable[..., Plan]:
    """The method of this name. Raises ValueError if there is none."""
    if name not in methods.names(VISITS):
        raise ValueError(f"{name!r} chooses no visits; there are {', '.join(methods.names(VISITS))}")
    return methods.find(VISITS, name)


def chosen(name: str, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The method and the given options of an item of retrain.visits, whose name is the method where it names none."""
    return values.get("method", name), {option: value for option, value in values.items() if option != "method"}


def check(name: str, values: Mapping[str, Any]) -> None:
    """Raise ValueError that names the key if an item of retrain.visits has no such method or option."""
    method, given = chosen(name, values)
    try:
        function = visits_method(method)
    except ValueError as error:
        raise ValueError(f"retrain.visits.{name}.method: {error}") from None
    checked_options([function], given, f"retrain.visits.{name}")


def plan_of(name: str, options: Mapping[str, Any], images: int, epochs: int) -> Plan:
    """The plan of a method for so many images and epochs. Raises ValueError if no method has this name, or if an option
    is wrong."""
    function = visits_method(name)
    return function(images, epochs, **checked_options([function], options))
