"""The modules that compute the scores, by the scores' names: a stage that imports this one depends on all of them."""

from importlib import import_module

from winnow.scores import names
from winnow.scores.runs import EarlyRuns, of_outputs
from winnow.scores.seed_scores import SeedScores

MODULES = {
    "el2n": "winnow.scores.el2n",
    "forgetting": "winnow.scores.forgetting",
    "loss": "winnow.scores.loss",
    "margin": "winnow.scores.margin",
    "input_norm": "winnow.scores.input_norm",
    "random": "winnow.scores.random",
}


def compute(name: str, runs: EarlyRuns) -> SeedScores:
    """A score of one cohort: the module's function of that name for every seed and epoch, if it is one of the outputs,
    else what its ``compute(runs)`` gives."""
    module = import_module(MODULES[name])
    return of_outputs(runs, getattr(module, name)) if name in names.OF_OUTPUTS else module.compute(runs)
