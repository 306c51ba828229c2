"""The claims of Paul, Ganguli and Dziugaite 2021, "Deep learning on a data diet", tested."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from winnow.analysis.velocity import velocity_trend
from winnow.analysis.windows import at_the_top, best_window, inner, windows
from winnow.claims.agreement import agreement
from winnow.claims.intervals import difference, jackknife, mean
from winnow.claims.results import LEAST, Diet, Results, Tickets
from winnow.claims.rules import Comparison, Finding, all_of, any_of, any_of_each, cannot_tell, not_computed

POINTS = "points of accuracy"
HALF, MODERATE, EXTREME = (0.4, 0.6), (0.4, 0.8), (0.0, 0.2)  # fractions kept
AGREE = 0.5  # rank correlation
LOWEST, HIGHEST = "lowest", "highest"  # subsets of the images by EL2N
AT_THE_TOP = 0.75  # area under the ROC curve: a changed label outranks three quarters of the others


def half_can_go(results: Results) -> Finding:
    """D1: EL2N at about a half, against all data trained for as many steps."""
    diet = results.diet
    method = diet.top("el2n")
    if method is None:
        return _no_el2n()
    keep = nearest_to_half(diet, method)
    if keep is None:
        return _at_no_keep(diet, method, *HALF)
    steps = diet.accuracy[diet.accuracy["method"].isin([method, "full"])]["steps"]
    if steps.nunique() > 1:
        return not_computed("retrain.budget", "steps, as the claim is about networks trained for equally many")
    change = difference(diet.accuracies(method, keep), diet.accuracies("full"))
    return all_of([Comparison(f"{method} minus all data at {keep:g} kept", change, above=-diet.margin)], POINTS)


def moderate_beats_random(results: Results) -> Finding:
    """D2."""
    method = results.diet.top("el2n")
    return _beats_random(results.diet, [method]) if method else _no_el2n()


def extreme_falls_below_random(results: Results) -> Finding:
    """D3: EL2N and GraNd at the smallest fraction."""
    diet = results.diet
    keeps = diet.keeps(*EXTREME, "random")
    if not keeps:
        return not_computed("select.keep", "add 0.1")
    methods = {score: diet.top(score) for score in ("el2n", "grand")}
    there = {score: method for score, method in methods.items() if method and diet.has(method, keeps[-1])}
    comparisons = [_minus_random(diet, method, keeps[-1], fall=True) for method in there.values()]
    absent = " and ".join(score for score in methods if score not in there)
    missing = not_computed("select.methods", f"add {absent}, at an epoch above 0") if absent else None
    return all_of(comparisons, POINTS, missing)


def rankings_agree(results: Results) -> Finding:
    """D4: EL2N at select.epoch with forgetting at the end of the training, and with GraNd at the same epoch."""
    diet = results.diet
    comparisons, missing = [], None
    length, unit = diet.full_length.split()
    counted = diet.scores.get("forgetting")
    if not diet.scores or diet.epoch not in diet.scores["el2n"].epochs or diet.epoch == 0:
        return not_computed("select.epoch", "give one of early.epochs above 0")
    if "grand" in diet.scores:
        comparisons.append(_agreement(diet, ("grand", diet.epoch), ("el2n", diet.epoch)))
    else:
        missing = not_computed("score.gradients", "add grand")
    if counted is None:
        missing = not_computed("score.scores", "add forgetting")
    elif not unit.startswith("epoch"):
        missing = not_computed("early.training", "give a training whose length is in epochs")
    elif counted.epochs[-1] < int(length):
        missing = not_computed("early.epochs", f"add {length}, the end of the training, for the forgetting over all")
    else:
        comparisons.append(_agreement(diet, ("el2n", diet.epoch), ("forgetting", counted.epochs[-1])))
    return all_of(comparisons, "rank correlation", missing)


def initial_grand_beats_random(results: Results) -> Finding:
    """D5."""
    method = results.diet.top("grand", epoch=0)
    return _beats_random(results.diet, [method]) if method else not_computed("select.methods", "add grand-epoch0")


def averaging_matters(results: Results) -> Finding:
    """D6: EL2N of all scored networks against that of one, at the same epoch; or against the mean of several single
    ones, which then are the sample."""
    diet = results.diet
    method = diet.top("el2n")
    if method is None:
        return _no_el2n()
    scored = diet.scores.get("el2n")
    if scored and len(scored.seeds) == 1:
        return not_computed("early.cohorts", "give more seeds than one")
    single = diet.of_one_network(method)
    comparisons = []
    for keep in diet.keeps(0, 1, method):
        of_one = [diet.accuracies(name, keep) for name in single if diet.has(name, keep)]
        if of_one:
            others = of_one[0] if len(of_one) == 1 else np.array([values.mean() for values in of_one])
            words = f"that of {len(of_one)} scoring network{'s, each alone' if len(of_one) > 1 else ' alone'}"
            change = difference(diet.accuracies(method, keep), others)
            comparisons.append(Comparison(f"{method} minus {words}, at {keep:g} kept", change, below=diet.margin))
    if not comparisons:
        epoch = diet.methods[method].options["epoch"]
        return not_computed("sweep.methods", f"add el2n{'' if epoch == diet.epoch else f'-epoch{epoch}'}-seeds1")
    return any_of(comparisons, POINTS)


def best_window_leaves_out_the_highest(results: Results) -> Finding:
    """D7: of the windows that leave out some of the highest, the best on the validation split, against the window at
    the top and the lowest window."""
    diet = results.diet
    table = windows(diet.accuracy, diet.methods)
    table = table[table["score"].eq("el2n") & ~table["per_class"].astype(bool)]
    groups = [rows for _, rows in table.groupby(["epoch", "keep"], sort=False) if at_the_top(rows).any()]
    if not groups:
        return not_computed("select.methods", "add el2n and windows of it, such as el2n-window0 and el2n-window0.3")
    rows = max(groups, key=lambda own: (len(inner(own)), own["fraction"].iloc[0]))
    if inner(rows).empty:
        return not_computed("select.methods", "add a window between the lowest and the highest, such as el2n-window0.3")
    best, keep = best_window(inner(rows)), float(rows["keep"].iloc[0])
    if best is None:
        return not_computed("download.validation", "hold out images, by which the best window is chosen")
    comparisons = [
        Comparison(
            f"{best} minus {other} at {keep:g} kept",
            difference(diet.accuracies(best, keep), diet.accuracies(other, keep)),
            below=diet.margin,
        )
        for other in (rows.loc[at_the_top(rows), "method"].iloc[-1], rows["method"].iloc[0])
    ]
    return all_of(comparisons, POINTS)


def wrong_labels_gather_at_the_top(results: Results) -> Finding:
    """D8: how well EL2N tells the changed labels from the others."""
    diet = results.diet
    if not diet.changed.any() or diet.changed.all():
        return not_computed("labels.noise", "give a fraction above 0, such as 0.1")
    values = _at(diet, "el2n", diet.suspects_epoch)
    area = jackknife(lambda seeds: auroc(values[seeds].mean(axis=0), diet.changed), len(values))
    return all_of([Comparison(f"EL2N at epoch {diet.suspects_epoch}", area, above=AT_THE_TOP)], "AUROC")


def kernel_velocity_rises_with_the_score(results: Results) -> Finding:
    """D9: the rank correlation of a seed is the mean over the steps from epoch to epoch."""
    velocities = results.diet.velocities
    if velocities.empty:
        return not_computed("ntk.epochs", "null, for all of early.epochs but the last")
    if velocities["group"].nunique() < 2:
        return not_computed("ntk.groups", "give more than one")
    of_seeds = velocity_trend(velocities).groupby("seed")["rise"].mean().to_numpy()
    return all_of([Comparison("velocity with score, over groups of images", mean(of_seeds))], "rank correlation")


def easy_images_are_connected_earlier(results: Results) -> Finding:
    """D10: the place among the steps of spawn.at from which on there is no barrier between the children, on the images
    of the highest EL2N minus that on those of the lowest, seed by seed."""
    tickets = results.tickets
    steps = sorted(set(tickets.children["at"]))
    if len(steps) < 2:
        return not_computed("spawn.at", "add two steps or more, such as 0 steps and 2 epochs, and dense.seeds")
    if HIGHEST not in set(tickets.children["subset"]):
        return not_computed("connectivity.subsets", "give el2n as the score, and images")
    easy, hard = (_places(tickets, subset) for subset in (LOWEST, HIGHEST))
    if (hard == 0).all():
        return cannot_tell(f"spawn.at: at {steps[0]} steps there is no barrier on the hardest images already")
    if (easy == len(steps)).all():
        return not_computed(
            "spawn.at", f"add later steps: at {steps[-1]} there is a barrier on the easiest images still"
        )
    words = f"first of {len(steps)} steps of spawn.at without a barrier, on the hardest images minus on the easiest"
    return all_of([Comparison(words, mean(hard - easy))], "places")


def rankings_transfer(results: Results) -> Finding:
    """D11: as D2, for the scores of each source; and for those of early, if they come from elsewhere too."""
    diet = results.diet
    methods = {f"el2n-from{source}": diet.top("el2n", source=source) for source in diet.sources}
    methods |= {"el2n": diet.top("el2n")} if diet.transferred else {}
    if not methods:
        return not_computed("transfer.sources", "add one, of another network or training, and its el2n-fromNAME")
    absent = ", ".join(name for name, method in methods.items() if method is None)
    missing = not_computed("select.methods", f"add {absent}, at an epoch above 0") if absent else None
    return _beats_random(diet, [method for method in methods.values() if method], missing)


def nearest_to_half(diet: Diet, method: str) -> float | None:
    """The keep that is about half of the images, of those at which there is this method."""
    return min(diet.keeps(*HALF, method), key=lambda keep: abs(diet.fractions[keep] - 0.5), default=None)


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """The chance that one of the positive outranks one of the others, ties counted as a half (Mann and Whitney)."""
    count = int(positive.sum())
    ranks = pd.Series(scores).rank()[positive].sum()
    return float((ranks - count * (count + 1) / 2) / (count * (len(scores) - count)))


def _no_el2n() -> Finding:
    return not_computed("select.methods", "add el2n, at an epoch above 0")


def _at_no_keep(diet: Diet, method: str, low: float, high: float) -> Finding:
    """The finding of a claim that asks for a method between two fractions of the images."""
    if diet.keeps(low, high):
        return not_computed("select.methods", f"add {method}, which is at no fraction from {low:g} to {high:g}")
    return not_computed("select.keep", "add 0.5")


def _beats_random(diet: Diet, methods: Sequence[str], missing: Finding | None = None) -> Finding:
    """Whether each method beats random subsets at a moderate fraction."""
    keeps = {name: diet.keeps(*MODERATE, name, "random") for name in methods}
    absent = next((name for name in methods if not keeps[name]), None)
    if absent:
        return _at_no_keep(diet, absent, *MODERATE)
    groups = [[_minus_random(diet, name, keep) for keep in own] for name, own in keeps.items()]
    return any_of_each(groups, POINTS, missing)


def _minus_random(diet: Diet, method: str, keep: float, fall: bool = False) -> Comparison:
    own, random = diet.accuracies(method, keep), diet.accuracies("random", keep)
    words, sides = (f"random minus {method}", (random, own)) if fall else (f"{method} minus random", (own, random))
    return Comparison(f"{words} at {keep:g} kept", difference(*sides), below=diet.margin)


def _agreement(diet: Diet, one: tuple[str, int], other: tuple[str, int]) -> Comparison:
    """Spearman's rank correlation between the means over seeds of two scores."""
    estimate = agreement(_at(diet, *one), _at(diet, *other))
    words = " with ".join(f"{score} at epoch {epoch}" for score, epoch in (one, other))
    return Comparison(words, estimate, above=AGREE)


def _places(tickets: Tickets, subset: str) -> np.ndarray:
    """Of every seed the place, from 0, of the step of parting from which on its children have no barrier on some
    images: at most LEAST points, there and at all later steps. After the last place, if they always have one."""
    high = tickets.of_children(subset) > LEAST + 1e-9  # a barrier is a difference, and so rounded
    return (np.arange(1, high.shape[1] + 1) * high).max(axis=1)


def _at(diet: Diet, score: str, epoch: int) -> np.ndarray:
    """A score at an epoch: float64 [seeds, n]."""
    found = diet.scores[score]
    return found.values[:, found.epochs.index(epoch)].astype(np.float64)
