"""The modules that compute the scores, by the scores' names: a stage that imports this one depends on all of them."""

from importlib import import_module
from types import ModuleType

MODULES = {
    "el2n": "winnow.scores.el2n",
    "forgetting": "winnow.scores.forgetting",
    "loss": "winnow.scores.loss",
    "margin": "winnow.scores.margin",
    "input_norm": "winnow.scores.input_norm",
    "random": "winnow.scores.random",
}


def score_module(name: str) -> ModuleType:
    """The module whose ``compute(runs)`` gives a score of the outputs or of the data; imported when it is asked for."""
    return import_module(MODULES[name])
