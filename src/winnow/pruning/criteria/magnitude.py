"""The size of a weight (Frankle and Carbin 2019, "The lottery ticket hypothesis")."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.pruning.context import Context, Scores


def magnitude(context: "Context") -> "Scores":
    """|w|."""
    return {name: weight.abs() for name, weight in context.weights.items()}
