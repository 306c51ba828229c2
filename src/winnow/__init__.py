"""Winnow separates what a training run needs from what it does not, in the data and in the network."""

from typing import Any

__all__ = ["load_subset", "load_ticket"]


def __getattr__(name: str) -> Any:
    """What users load results with, imported when it is asked for: the stages import this package without pandas."""
    if name == "load_subset":
        from winnow.selection.files import load_subset

        return load_subset
    if name == "load_ticket":
        from winnow.tickets.files import load_ticket

        return load_ticket
    raise AttributeError(f"module 'winnow' has no attribute {name!r}")
