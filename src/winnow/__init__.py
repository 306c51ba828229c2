"""Winnow separates what a training run needs from what it does not, in the data and in the network."""

from typing import TYPE_CHECKING

__all__ = [
    "aum",
    "barrier",
    "confident_learning",
    "density",
    "features",
    "forgetting",
    "hessian_eigenvalues",
    "hold",
    "line",
    "load_subset",
    "load_ticket",
    "propose_labels",
    "prune",
    "rewind",
    "score",
    "select",
    "smaller",
    "suspects",
]

if TYPE_CHECKING:
    from winnow.datasets.label_neighbourhood import propose_labels
    from winnow.direct.landscape import hessian_eigenvalues, line
    from winnow.direct.pruning import density, hold, prune, rewind
    from winnow.direct.scores import features, score, suspects
    from winnow.direct.smaller import smaller
    from winnow.direct.subsets import select
    from winnow.landscape.barrier import barrier
    from winnow.scores.of_margins.aum import aum
    from winnow.scores.of_outputs.confident_learning import confident_learning
    from winnow.scores.of_visits.forgetting import forgetting
    from winnow.selection.files import load_subset
    from winnow.tickets.files import load_ticket
else:
    # each name is imported when it is used: the stages import this package, and most need only a part of it
    def __getattr__(name: str) -> object:
        from importlib import import_module

        modules = {
            "datasets.label_neighbourhood": ("propose_labels",),
            "direct.landscape": ("hessian_eigenvalues", "line"),
            "direct.pruning": ("density", "hold", "prune", "rewind"),
            "direct.scores": ("features", "score", "suspects"),
            "direct.smaller": ("smaller",),
            "direct.subsets": ("select",),
            "landscape.barrier": ("barrier",),
            "scores.of_margins.aum": ("aum",),
            "scores.of_outputs.confident_learning": ("confident_learning",),
            "scores.of_visits.forgetting": ("forgetting",),
            "selection.files": ("load_subset",),
            "tickets.files": ("load_ticket",),
        }
        for module, names in modules.items():
            if name in names:
                return getattr(import_module(f"winnow.{module}"), name)
        raise AttributeError(f"module 'winnow' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return [*globals(), *__all__]
