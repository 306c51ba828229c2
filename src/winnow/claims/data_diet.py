"""The claims of Paul, Ganguli and Dziugaite 2021, "Deep learning on a data diet", tested."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from winnow.analysis.reliability import spearman
from winnow.claims.intervals import Estimate, difference, jackknife, on_scale_of
from winnow.claims.results import Diet, Results
from winnow.claims.rules import Comparison, Finding, all_of, any_of_each, not_computed, not_measured

POINTS = "points of accuracy"
HALF, MODERATE, EXTREME = (0.4, 0.6), (0.4, 0.8), (0.0, 0.2)  # fractions kept
AGREE = 0.5  # rank correlation
AT_THE_TOP = 0.75  # area under the ROC curve: a changed label outranks three quarters of the others


def half_can_go(results: Results) -> Finding:
    """D1: EL2N at about a half, against all data trained for as many steps."""
    diet = results.diet
    method, keep = diet.top("el2n"), nearest_to_half(diet)
    if method is None:
        return _no_el2n()
    if keep is None:
        return not_computed("select.keep", "add 0.5")
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
    methods = {score: diet.top(score) for score in ("el2n", "grand")}
    keeps = diet.keeps(*EXTREME)
    if not keeps:
        return not_computed("select.keep", "add 0.1")
    comparisons = [_minus_random(diet, method, keeps[-1], fall=True) for method in methods.values() if method]
    absent = " and ".join(score for score, method in methods.items() if method is None)
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
    """D6."""
    return not_measured("how subsets do that are chosen by the scores of one network")


def best_window_leaves_out_the_highest(results: Results) -> Finding:
    """D7: of the windows that leave out some of the highest, the best on the validation split, against the window at
    the top and the lowest window."""
    diet = results.diet
    ranked = {name: choice.options for name, choice in diet.methods.items() if diet.is_ranked(choice, "el2n")}
    epoch = next((options["epoch"] for options in ranked.values() if options["window"] is not None), None)
    windows = {name: options["window"] for name, options in ranked.items() if options["epoch"] == epoch}
    top = next((name for name, start in windows.items() if start is None), None)
    if epoch is None or top is None:
        return not_computed("select.methods", "add el2n and windows of it, such as el2n-window0 and el2n-window0.3")
    del windows[top]
    lowest = min(windows, key=lambda name: windows[name])
    # a window that ends at the top, but for rounding, is not one that leaves out the highest
    inner = {
        keep: [name for name, start in windows.items() if name != lowest and start + fraction < 0.995]
        for keep, fraction in diet.fractions.items()
    }
    keep = max(inner, key=lambda own: len(inner[own]), default=0.0)
    if not inner.get(keep):
        return not_computed("select.methods", "add a window between the lowest and the highest, such as el2n-window0.3")
    best = max(inner[keep], key=lambda name: diet.accuracies(name, keep, "validation").mean())
    comparisons = [
        Comparison(
            f"{best} minus {other} at {keep:g} kept",
            difference(diet.accuracies(best, keep), diet.accuracies(other, keep)),
            below=diet.margin,
        )
        for other in (top, lowest)
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
    """D9."""
    return not_measured("the velocity of the neural tangent kernel")


def easy_images_are_connected_earlier(results: Results) -> Finding:
    """D10."""
    return not_measured("error barriers on the images of the lowest and of the highest scores")


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


def nearest_to_half(diet: Diet) -> float | None:
    """The value of select.keep that is about half of the images."""
    return min(diet.keeps(*HALF), key=lambda keep: abs(diet.fractions[keep] - 0.5), default=None)


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """The chance that one of the positive outranks one of the others, ties counted as a half (Mann and Whitney)."""
    count = int(positive.sum())
    ranks = pd.Series(scores).rank()[positive].sum()
    return float((ranks - count * (count + 1) / 2) / (count * (len(scores) - count)))


def _no_el2n() -> Finding:
    return not_computed("select.methods", "add el2n, at an epoch above 0")


def _beats_random(diet: Diet, methods: Sequence[str], missing: Finding | None = None) -> Finding:
    """Whether each method beats random subsets at a moderate fraction."""
    keeps = diet.keeps(*MODERATE)
    if not keeps:
        return not_computed("select.keep", "add 0.5")
    return any_of_each([[_minus_random(diet, name, keep) for keep in keeps] for name in methods], POINTS, missing)


def _minus_random(diet: Diet, method: str, keep: float, fall: bool = False) -> Comparison:
    own, random = diet.accuracies(method, keep), diet.accuracies("random", keep)
    words, sides = (f"random minus {method}", (random, own)) if fall else (f"{method} minus random", (own, random))
    return Comparison(f"{words} at {keep:g} kept", difference(*sides), below=diet.margin)


def _agreement(diet: Diet, one: tuple[str, int], other: tuple[str, int]) -> Comparison:
    """Spearman's rank correlation between the means over seeds of two scores."""
    a, b = _at(diet, *one), _at(diet, *other)

    def z(seeds: np.ndarray) -> float:
        rank_correlation = spearman(a[seeds].mean(axis=0), b[seeds].mean(axis=0))
        return float(np.arctanh(np.clip(rank_correlation, -0.999999, 0.999999)))

    estimate: Estimate = on_scale_of(np.tanh, jackknife(z, len(a)))
    words = " with ".join(f"{score} at epoch {epoch}" for score, epoch in (one, other))
    return Comparison(words, estimate, above=AGREE)


def _at(diet: Diet, score: str, epoch: int) -> np.ndarray:
    """A score at an epoch: float64 [seeds, n]."""
    found = diet.scores[score]
    return found.values[:, found.epochs.index(epoch)].astype(np.float64)
