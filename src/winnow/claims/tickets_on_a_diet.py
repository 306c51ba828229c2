"""The claims of Paul et al. 2022, "Lottery tickets on a data diet", tested."""

from collections.abc import Mapping

import numpy as np

from winnow.analysis.reliability import spearman
from winnow.claims.intervals import jackknife, mean, on_scale_of
from winnow.claims.levels import POINTS, alike, of_levels, same_length
from winnow.claims.results import Diet, Results, Tickets
from winnow.claims.rules import Comparison, Finding, all_of, any_of, cannot_tell, not_computed

ENOUGH = 4  # rewind points, for a correlation over them
PREDICTS = 0.5  # rank correlation


@of_levels
def little_data_is_enough(results: Results) -> Finding:
    """T1: levels from a rewind point of a random subset, against those from one of all data, trained for as long."""
    kinds = {name: _kind(results.diet, point.data) for name, point in results.tickets.rewinds.items()}
    if "random" not in kinds.values():
        return not_computed("pruning.rewinds", "add one on a random subset, such as select/random-0.1")
    pairs = _pairs(results.tickets, kinds, "random", ("full",))
    if not pairs:
        return _no_levels("random", kinds)
    bar = results.tickets.epsilon
    return all_of([_error_minus(results.tickets, other, own, above=-bar) for own, other in pairs], POINTS)


@of_levels
def easy_data_are_faster(results: Results) -> Finding:
    """T2: levels from a rewind point of the easiest images, against those from one of all data or of a random subset,
    trained for as long."""
    kinds = {name: _kind(results.diet, point.data) for name, point in results.tickets.rewinds.items()}
    if "easiest" not in kinds.values():
        return not_computed("pruning.rewinds", "add one on the easiest, such as select/el2n-window0-perclass-0.1")
    pairs = _pairs(results.tickets, kinds, "easiest", ("full", "random"))
    if not pairs:
        return _no_levels("easiest", kinds)
    bar = results.tickets.epsilon
    return any_of([_error_minus(results.tickets, other, own, below=bar) for own, other in pairs], POINTS)


@of_levels
def connected_images_predict_success(results: Results) -> Finding:
    """T3: over rewind points on all images, the fraction of training images on which two children that part there are
    connected one by one, with the error of levels that are pruned alike from these points, at the lowest density."""
    tickets = results.tickets
    whole = {name: tickets.rewind_steps[name] for name, point in tickets.rewinds.items() if point.data == "full"}
    if len(set(whole.values())) < ENOUGH:
        words = (
            f"give {ENOUGH - 1} or more of different lengths on all images, beside dense.rewind, and spawn.at the same"
        )
        return not_computed("pruning.rewinds", words)
    steps = sorted(set(tickets.children["at"]))
    rewinds = {name: step for name, step in whole.items() if step in steps}
    if len(set(rewinds.values())) < ENOUGH:
        absent = ", ".join(tickets.rewinds[name].length for name in whole if name not in rewinds)
        return not_computed("spawn.at", f"add {absent}, as rewind points have")
    levels = _one_each(tickets, rewinds)
    if len(levels) < ENOUGH:
        return not_computed("pruning.levels", f"add levels pruned alike from each of {', '.join(rewinds)}")
    connected = tickets.of_children("train", "connected")[:, [steps.index(step) for step in levels]]
    errors = np.stack([tickets.of_level(name) for name in levels.values()], axis=1)  # [seeds, rewind points]

    def correlation(seeds: np.ndarray) -> float:
        means = [values[seeds].mean(axis=0).round(9) for values in (connected, -errors)]  # equal ones as ties
        return spearman(*means)

    estimate = jackknife(correlation, len(errors))
    if np.isnan([estimate(0.5).effect, estimate(0.5).low]).any():  # also if it is so without one of the seeds
        return cannot_tell("spawn.at: as many images are connected at every rewind point, or all levels are as good")
    density = max(tickets.density(name) for name in levels.values())
    words = f"connected images with fewer errors, over {len(levels)} rewind points, at {density:.1%} of the weights"
    within = on_scale_of(lambda value: float(np.clip(value, -1, 1)), estimate)
    return all_of([Comparison(words, within, above=PREDICTS)], "rank correlation")


def _one_each(tickets: Tickets, rewinds: Mapping[str, int]) -> dict[int, str]:
    """Levels that are alike but for their rewind points, one of each of these, by its step: of as many points as there
    are, at the lowest density of those."""
    step_of = {name: rewinds[level.rewind] for name, level in tickets.levels.items() if level.rewind in rewinds}
    groups: dict[str, dict[int, str]] = {}
    for one, other in alike(tickets, but_for="rewind"):
        if one in step_of and other in step_of:
            groups.setdefault(one, {step_of[one]: one}).setdefault(step_of[other], other)
    best = max(groups, key=lambda name: (len(groups[name]), -tickets.density(name)), default=None)
    return dict(sorted(groups[best].items())) if best else {}


def _kind(diet: Diet, data: str) -> str:
    """Of the data of a rewind point: full, random, easiest, or other."""
    if data == "full":
        return "full"
    choice = diet.methods[data.removeprefix("select/").rpartition("-")[0]]
    if choice.method != "ranked":
        return "other"
    score, window = choice.options["score"], choice.options["window"]
    return "random" if score == "random" else "easiest" if (score, window) == ("el2n", 0) else "other"


def _pairs(tickets: Tickets, kinds: dict[str, str], own: str, others: tuple[str, ...]) -> list[tuple[str, str]]:
    """Levels alike but for the rewind point, the first of which is of one kind and the second of another."""
    rewinds = {name: level.rewind for name, level in tickets.levels.items()}
    return [
        (one, other)
        for one, other in alike(tickets, but_for="rewind")
        if kinds[rewinds[one]] == own
        and kinds[rewinds[other]] in others
        and same_length(tickets.rewinds[rewinds[one]], tickets.rewinds[rewinds[other]])
    ]


def _error_minus(tickets: Tickets, one: str, other: str, above: float = 0.0, below: float | None = None) -> Comparison:
    words = f"{one} minus {other} at {tickets.density(other):.1%} of the weights"
    return Comparison(words, mean(tickets.of_level(one) - tickets.of_level(other)), above, below)


def _no_levels(kind: str, kinds: dict[str, str]) -> Finding:
    own = next(name for name, found in kinds.items() if found == kind)
    return not_computed(
        "pruning.levels", f"add levels from {own} and, pruned alike, from a rewind point of all data that is as long"
    )
