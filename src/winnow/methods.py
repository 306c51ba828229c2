"""Find methods by name: a family is a package, and each of its modules is one method, a function named as the module.

So a new method is one file. A stage depends on the code of the methods that its item uses (``winnow.stages.check``).
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from typing import Any


def names(family: str) -> list[str]:
    """The methods of a family such as winnow.pruning.criteria, in alphabetical order. Imports none of them."""
    spec = find_spec(family)
    assert spec is not None and spec.submodule_search_locations is not None
    files = Path(spec.submodule_search_locations[0]).glob("[a-z]*.py")
    return sorted(file.stem.removesuffix("_") for file in files)


def module_name(name: str) -> str:
    """The name of a method's module and function: global_ for global, which is a Python keyword."""
    return f"{name}_" if iskeyword(name) else name


def find(family: str, name: str) -> Callable[..., Any]:
    """The function of a method. Raises ValueError if the family has no method of this name."""
    if name not in names(family):
        raise ValueError(f"there is no {name!r}; there are {', '.join(names(family))}")
    function: Callable[..., Any] = getattr(import_module(f"{family}.{module_name(name)}"), module_name(name))
    return function


def has_mark(method: Callable[..., Any], mark: str) -> bool:
    """Whether the method's module sets this name, such as NEEDS_FEATURES, to True."""
    return bool(mark_of(method, mark, False))


def mark_of(method: Callable[..., Any], mark: str, default: Any) -> Any:
    """What the method's module sets this name to, such as ROUNDS, or the default. The method's options may be filled
    in."""
    function = method.func if isinstance(method, partial) else method
    return getattr(import_module(function.__module__), mark, default)
