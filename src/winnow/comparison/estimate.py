"""What a selection would cost, before anything of it has run: passes over the data, and seconds if the experiment has
run before."""

from collections.abc import Mapping
from dataclasses import dataclass

from winnow import methods
from winnow.comparison.cost import Read, passes
from winnow.experiment import Params
from winnow.params.training import Training
from winnow.selection.advice import MOST, fraction
from winnow.selection.choices import Choice, all_subsets, selected
from winnow.selection.choose import method

FORWARD = 1 / 3  # of a pass with its gradients: the usual estimate


@dataclass(frozen=True)
class Estimate:
    """choosing, training: passes over all images, forward and backward, of the networks whose scores or features are
    chosen by, and of those trained on the subset; scoring, teaching: passes forward, of the former and of teachers.
    choosing_seconds, training_seconds: of one core; None if it is not known."""

    choosing: float
    scoring: float
    training: float
    teaching: float
    choosing_seconds: float | None
    training_seconds: float | None

    @property
    def longer(self) -> float:
        """How many times as long a random subset could train for the whole cost."""
        return 1 + (self.choosing + FORWARD * (self.scoring + self.teaching)) / self.training


def estimate(
    params: Params,
    choice: Choice,
    share: float,
    images: int | None,
    times: Mapping[str, float],
    taught: bool = False,
    visited: bool = False,
) -> Estimate | None:
    """The cost of choosing this share and of training all seeds of retrain on it; None if it cannot be known, as the
    training's length is in steps and the number of images is not known.

    times: the seconds that stages took (``repro.times``), of which those of early and retrain_full count. taught: by
    the networks of retrain_full. visited: the share is that of the visits, of all images.
    """
    epochs = epochs_of(params.retrain.training, images)
    if epochs is None:
        return None
    found, networks = passes(reads_of(choice), params), len(params.retrain.seeds)
    training = networks * epochs * (share if visited or params.retrain.budget == "epochs" else 1)
    teaching = networks if taught else 0
    of_choosing, of_training = seconds_of_a_pass(params, epochs, times)
    choosing, scoring = found["training_passes"], found["scoring_passes"]
    return Estimate(
        choosing,
        scoring,
        training,
        teaching,
        None if of_choosing is None else of_choosing * (choosing + FORWARD * scoring),
        None if of_training is None else of_training * (training + FORWARD * teaching),
    )


def reads_of(choice: Choice) -> list[Read]:
    """What a choice asks its evidence for, as ``cost.Recorder`` finds when it is made."""
    options, marked, found = choice.options, method(choice.method), list[Read]()
    if options.get("score", "random") != "random":
        asked = {"name": options["score"], "epoch": options["epoch"], "seeds": None, "source": None}
        found.append(("score", asked))
    if methods.has_mark(marked, "NEEDS_FEATURES"):
        found.append(("features", {"epoch": options["epoch"]}))
    if methods.has_mark(marked, "NEEDS_VALIDATION"):
        found.append(("recalls", {"epoch": options["epoch"]}))
    return found


def epochs_of(training: Training, images: int | None) -> float | None:
    """How many times a training goes through so many images; None if it is given in steps and they are not known."""
    count, unit = training.length.split()
    if unit.startswith("epoch"):
        return int(count)
    return int(count) * training.batch_size / images if images else None


def shares_trained(params: Params, images: int | None) -> list[float]:
    """Of every subset that is trained on, by each recipe too, and of every training that chooses as it goes: how many
    of an epoch's visits on all images an epoch of its training makes, 1 where it trains for as many steps."""
    keeps = [(keep, params.retrain.budget) for _, keep in all_subsets(params.select, params.sweep).values()]
    for recipe in params.retrain.recipes.values():
        budget = recipe.budget or params.retrain.budget
        keeps += [(keep, budget) for _, keep in selected(params.select).values()]
    visited = [options.get("keep", MOST) for options in params.retrain.visits.values()]  # most visit about so much
    return [fraction(keep, images) if budget == "epochs" else 1.0 for keep, budget in keeps] + visited


def seconds_of_a_pass(params: Params, epochs: float, times: Mapping[str, float]) -> tuple[float | None, float | None]:
    """Seconds of one core for a pass in early and in retrain; None if they are not known. Where one of the two has not
    run, those of the other, if the networks are the same. epochs: of retrain's training. times: as in ``estimate``."""
    early, retrain = params.early, params.retrain
    stages = {name: times.get(f"early@{name}") for name in early.cohorts}
    trained = {  # each seed leaves a fold out
        name: len(cohort.seeds) * early.epochs[-1] * (cohort.share or (1 - 1 / cohort.folds if cohort.folds else 1))
        for name, cohort in early.cohorts.items()
        if stages[name] is not None and early.epochs[-1]
    }
    of_early = sum(stages[name] or 0 for name in trained) / sum(trained.values()) if trained else None
    of_full = times.get("retrain_full")
    of_retrain = None if of_full is None else of_full / (len(retrain.seeds) * epochs)
    if early.network == retrain.network:
        of_early, of_retrain = of_early or of_retrain, of_retrain or of_early
    return of_early, of_retrain
