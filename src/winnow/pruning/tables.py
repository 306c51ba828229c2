"""The criteria, the allocations and the ways of pruning during training that there are: each a module, with a function
of the module's name, and a line here. What such a function takes and gives is said in its package. Its keyword
arguments are the keys of a level in params.yaml, of their types. It raises ValueError, in words that name the option,
for options that cannot be met.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Line:
    """module: where the function is. anywhere: of an allocation that takes no cut: the level has as many weights as its
    parent, at any places, those that the parent has lost too."""

    module: str
    anywhere: bool = False


CRITERIA = {
    "magnitude": Line("winnow.pruning.criteria.magnitude"),
    "random": Line("winnow.pruning.criteria.random"),
    "snip": Line("winnow.pruning.criteria.snip"),
}
ALLOCATIONS = {
    "global": Line("winnow.pruning.allocations.global_"),
    "uniform": Line("winnow.pruning.allocations.uniform"),
    "erk": Line("winnow.pruning.allocations.erk"),
    "lamp": Line("winnow.pruning.allocations.lamp"),
    "of_parent": Line("winnow.pruning.allocations.of_parent", anywhere=True),
}
DURING = {
    "gradual": Line("winnow.pruning.during.gradual"),
}


def find(table: Mapping[str, Line], name: str) -> Callable[..., Any]:
    """The function of a table's line. Raises ValueError if there is none."""
    if name not in table:
        raise ValueError(f"there is no {name!r}; there are {', '.join(table)}")
    module = table[name].module
    return getattr(import_module(module), module.rpartition(".")[2])
