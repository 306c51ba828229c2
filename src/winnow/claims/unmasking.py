"""The claims of Paul et al. 2023, "Unmasking the lottery ticket hypothesis", tested. The seeds of a level are those of
the levels above it, so what is compared is compared seed by seed."""

import numpy as np

from winnow.claims.intervals import Estimate, Interval, mean, share
from winnow.claims.levels import NEVER, POINTS, alike, further, is_start, of_levels
from winnow.claims.results import Results, Tickets
from winnow.claims.rules import Comparison, Finding, Near, all_of, cannot_tell, not_computed
from winnow.params.dense import NAME as DENSE

PAIRS = "of the pairs"
MORE_OFTEN_THAN_NOT = 0.5
NEAR_ONE = (2 / 3, 1.5)  # lengths of a perturbation that count as that of the projection
TOLERANCE = 10.0  # points of a level's weights, by which a prediction may be off


@of_levels
def iteration_reaches_further(results: Results) -> Finding:
    """U1: levels pruned in several cuts, against levels of the same density pruned in one."""
    tickets = results.tickets
    pairs = _iterated_and_at_once(tickets)
    return further(tickets, pairs) if pairs else _no_pairs(tickets)


@of_levels
def connected_if_and_only_if_matching(results: Results) -> Finding:
    """U2: successive levels, those that both match and the others."""
    tickets = results.tickets
    known = tickets.pairs.dropna(subset=["connected", "both_match"])
    connected, both = (known[column].to_numpy(bool) for column in ("connected", "both_match"))
    sides = [
        ("matching pairs that are connected", connected[both]),
        ("other pairs that are not connected", ~connected[~both]),
    ]
    comparisons = [
        Comparison(f"{what}, of {len(found)}", share(int(found.sum()), len(found)), above=MORE_OFTEN_THAN_NOT)
        for what, found in sides
        if len(found)
    ]
    if not len(known):
        return not_computed("pruning.levels", "add levels that are cut from one another and rewound")
    words = "pruning.levels: no pair is on the other side of matching; prune further, or less"
    return all_of(comparisons, PAIRS, cannot_tell(words) if len(comparisons) < 2 else None)


@of_levels
def rewinding_to_the_start_is_too_early(results: Results) -> Finding:
    """U3: levels from a rewind point after some steps, against the same from the initialisation."""
    tickets = results.tickets
    whole = {name: point for name, point in tickets.rewinds.items() if point.data == "full"}
    starts = [name for name, point in whole.items() if is_start(point)]
    if not starts:
        return not_computed("pruning.rewinds", "add one of length 0 steps on all images, and levels from it")
    pairs = [
        pair
        for pair in alike(tickets, but_for="rewind")
        if tickets.levels[pair[0]].rewind in whole.keys() - {*starts} and tickets.levels[pair[1]].rewind in starts
    ]
    if not pairs:
        return not_computed("pruning.levels", f"add levels from {starts[0]} as there are from the later rewind point")
    return further(tickets, pairs)


@of_levels
def perturbations_are_returned_from(results: Results) -> Finding:
    """U4: trainings from perturbed rewind points end in the mode of the unperturbed one, if the perturbation is as long
    as the projection on the next mask, and do not if it is much longer; and the later the rewind point the less so."""
    tickets = results.tickets
    rows = tickets.perturbed
    if rows.empty:
        return not_computed("perturbation.runs", "add one of a level and its child")
    runs = rows.groupby("run")["rewind_steps"].first().sort_values(kind="stable")
    first, last = str(runs.index[0]), str(runs.index[-1])
    lengths = sorted(set(rows.loc[rows["run"] == last, "multiple"]))
    near = [length for length in lengths if NEAR_ONE[0] <= length <= NEAR_ONE[1]]
    if not near or lengths[-1] <= NEAR_ONE[1]:
        return not_computed("perturbation.scales", "give 1.0 and some above it")
    projection = min(near, key=lambda length: abs(length - 1))
    small, large = (_barriers(tickets, last, length) for length in (projection, lengths[-1]))
    comparisons = [
        Comparison(
            f"epsilon minus the barrier, perturbed by {projection:g} projections", mean(tickets.epsilon - small)
        ),
        Comparison(f"barrier minus epsilon, perturbed by {lengths[-1]:g} projections", mean(large - tickets.epsilon)),
    ]
    if runs.iloc[0] == runs.iloc[-1]:
        missing = not_computed("perturbation.runs", "add one from another rewind point, to see if tolerance grows")
        return all_of(comparisons, POINTS, missing)
    growth = _barriers(tickets, first, lengths[-1]) - large
    words = f"barrier of rewind step {runs.iloc[0]} minus that of {runs.iloc[-1]}"
    return all_of([*comparisons, Comparison(words, mean(growth))], POINTS)


@of_levels
def large_cuts_leave_the_sublevel_set(results: Results) -> Finding:
    """U5: the smallest and the largest cut of the level of which the most different ones were made."""
    tickets = results.tickets
    cuts = {str(level): rows.sort_values("cut") for level, rows in tickets.measured_cuts.groupby("level", sort=False)}
    spans = {level: rows["cut"].iloc[-1] - rows["cut"].iloc[0] for level, rows in cuts.items()}
    parent = max(spans, key=lambda level: spans[level], default=None)
    if parent is None or not spans[parent]:
        return not_computed("pruning.levels", "add a level of the same parent as another, with a larger prune")
    low, high = cuts[parent]["cut"].iloc[[0, -1]]
    little, much = cuts[parent]["child"].iloc[[0, -1]]
    inside, outside = (excess(tickets, parent, level) for level in (little, much))
    words = [f"{much} ({high:.0%} of {parent} pruned)", f"{little} ({low:.0%})"]
    comparisons = [
        Comparison(f"excess of {words[0]} over {words[1]}", mean(outside - inside)),
        Comparison(f"epsilon minus the excess of {little}", mean(tickets.epsilon - inside), below=-NEVER),
        Comparison(f"excess of {much} minus epsilon", mean(outside - tickets.epsilon), below=-NEVER),
    ]
    return all_of(comparisons, POINTS)


@of_levels
def curvature_predicts_the_largest_cut(results: Results) -> Finding:
    """U6: of every level the predicted largest cut, against the range in which the measured one lies."""
    tickets = results.tickets
    limits = tickets.cut_limits.set_index("level")[["largest_inside", "smallest_outside"]].astype(float)
    limits = limits.reindex(list(dict.fromkeys(tickets.curvature["level"]))).dropna(how="all")
    if limits.empty:
        return not_computed("curvature.levels", "name a level that others are cut from")
    comparisons = []
    limits = limits.fillna({"largest_inside": 0.0, "smallest_outside": 1.0})
    for limit in limits.reset_index().to_dict("records"):
        rows = tickets.curvature[tickets.curvature["level"] == limit["level"]]
        low, high = (mean(100 * rows[f"predicted_{side}"].to_numpy(float)) for side in ("low", "high"))
        estimate = _apart(low, high, (100 * limit["largest_inside"], 100 * limit["smallest_outside"]))
        comparisons.append(Near(f"predicted minus measured cut of {limit['level']}", estimate, TOLERANCE))
    return all_of(comparisons, "points of its weights")


@of_levels
def retraining_makes_the_next_cut_cheap(results: Results) -> Finding:
    """U7: the error after two cuts in a row, minus that after the second of them where the network was retrained in
    between, mean over all successive levels that were cut by the same fraction."""
    tickets = results.tickets
    levels = tickets.levels
    pairs = [
        (level.parent, name)
        for name, level in levels.items()
        if len(tickets.cuts(name)) > 1 and level.prune and level.prune == levels[level.parent].prune
    ]
    if not pairs:
        return not_computed("pruning.levels", "add a level cut from another by the same fraction")
    found = [
        tickets.of_level(first, "error_after_two_cuts") - tickets.of_level(second, "error_after_cut")
        for first, second in pairs
    ]
    words = f"two cuts at once minus two with retraining between, mean over {len(pairs)} pairs of levels"
    return all_of([Comparison(words, mean(np.mean(found, axis=0)))], POINTS)


@of_levels
def small_cuts_stay_inside(results: Results) -> Finding:
    """U8: how far the error rises right after each of several cuts, and after one that prunes as much at once: where
    the one leaves the sublevel set, at the highest density at which it does."""
    tickets = results.tickets
    pairs = _iterated_and_at_once(tickets)
    if not pairs:
        return _no_pairs(tickets)
    leaving = [pair for pair in pairs if rise(tickets, pair[1]).mean() > tickets.epsilon]
    if not leaving:
        return cannot_tell("pruning.levels: no single cut leaves the sublevel set; prune more at once")
    many, one = max(leaving, key=lambda pair: tickets.density(pair[0]))
    steps = [
        (f"epsilon minus the rise at {name}", tickets.epsilon - rise(tickets, name)) for name in tickets.cuts(many)
    ]
    whole = (f"rise at {one} minus epsilon", rise(tickets, one) - tickets.epsilon)
    return all_of([Comparison(words, mean(values)) for words, values in [whole, *steps]], POINTS)


def excess(tickets: Tickets, parent: str, level: str) -> np.ndarray:
    """By how many points each replicate is outside its parent's linearly connected sublevel set, before epsilon: its
    barrier, or how far its error is above the parent's, whichever is larger (Paul et al. 2023, sec. 3)."""
    return np.maximum(tickets.barriers_between(parent, level), tickets.of_level(level) - tickets.of_level(parent))


def rise(tickets: Tickets, level: str) -> np.ndarray:
    """By how many points the error is above the parent's right after the cut."""
    return tickets.of_level(level, "error_after_cut") - tickets.of_level(tickets.levels[level].parent)


def _iterated_and_at_once(tickets: Tickets) -> list[tuple[str, str]]:
    """Levels pruned in several cuts, each with one of the same density pruned in one cut, otherwise alike."""
    return [pair for pair in alike(tickets, but_for="cuts") if len(tickets.cuts(pair[0])) > 1]


def _no_pairs(tickets: Tickets) -> Finding:
    """No level pruned at once is as dense as one pruned in several cuts: what to add."""
    many = [name for name in tickets.levels if len(tickets.cuts(name)) > 1]
    if not many:
        return not_computed("pruning.levels", "add levels that are cut from one another, and one cut at once as far")
    density = min(tickets.density(name) for name in many)
    return not_computed("pruning.levels", f"add one cut at once from {DENSE}, with prune: {1 - density:.4g}")


def _barriers(tickets: Tickets, run: str, multiple: float) -> np.ndarray:
    """To the unperturbed solution, in points of the test error, of the seeds in their order."""
    rows = tickets.perturbed
    chosen = (rows["run"] == run) & (rows["multiple"] == multiple) & (rows["split"] == "test")
    return 100 * rows[chosen].sort_values("seed")["barrier"].to_numpy(float)


def _apart(low: Estimate, high: Estimate, measured: tuple[float, float]) -> Estimate:
    """A predicted range minus a measured one: all that both leave open, and between their middles."""

    def interval(confidence: float) -> Interval:
        below, above = low(confidence), high(confidence)
        middle = (below.effect + above.effect) / 2 - sum(measured) / 2
        return Interval(middle, below.low - measured[1], above.high - measured[0])

    return interval
