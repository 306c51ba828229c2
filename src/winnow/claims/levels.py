"""Levels that differ in one thing only, which claims compare; and rewind points."""

import math
from collections.abc import Callable, Sequence
from functools import wraps

from winnow.claims.intervals import mean
from winnow.claims.results import Results, Tickets
from winnow.claims.rules import Comparison, Finding, any_of, cannot_tell, not_computed
from winnow.params.pruning import Rewind

POINTS = "points of test error"
Test = Callable[[Results], Finding]
NEVER = math.inf  # a bound that no effect passes


def alike(tickets: Tickets, but_for: str) -> list[tuple[str, str]]:
    """Ordered pairs of pruned levels of the same density, trained on the same data, that choose weights in the same
    way. They differ in the number of cuts (but_for is cuts; the second has one cut then), or in the rewind point."""
    cuts = {name: tickets.cuts(name) for name in tickets.levels}
    pruned = [name for name, steps in cuts.items() if steps]

    def are(one: str, other: str) -> bool:
        levels, counts = tickets.levels, (len(cuts[one]), len(cuts[other]))
        same_rewind = levels[one].rewind == levels[other].rewind
        differ = {
            "cuts": same_rewind and counts[0] > counts[1] == 1,
            "rewind": not same_rewind and counts[0] == counts[1],
        }
        same = tickets.way(one) == tickets.way(other) and levels[one].data == levels[other].data
        return differ[but_for] and same and tickets.same_density(one, other)

    return [(one, other) for one in pruned for other in pruned if are(one, other)]


def further(tickets: Tickets, pairs: Sequence[tuple[str, str]]) -> Finding:
    """Whether the first of a pair matches somewhere where the second does not: of pairs of levels of the same density,
    whose errors are compared where not both match."""
    comparisons = []
    for better, worse in pairs:
        do_match = (tickets.matches(better), tickets.matches(worse))
        if do_match != (True, True):
            # where neither matches, or only the worse does, the claim cannot hold, whatever the difference
            above, below = (0.0, None) if do_match == (True, False) else (NEVER, tickets.epsilon)
            estimate = mean(tickets.of_level(worse) - tickets.of_level(better))
            words = f"{worse} minus {better} at {tickets.density(better):.1%} of the weights"
            comparisons.append(Comparison(words, estimate, above, below))
    if comparisons:
        return any_of(comparisons, POINTS)
    sparsest = min(tickets.density(better) for better, _ in pairs)
    return cannot_tell(f"pruning.levels: both match down to {sparsest:.1%} of the weights; prune further")


def of_levels(test: Test) -> Test:
    """A test of a claim about levels: without any, or with too few replicates of them, there is nothing to test."""

    @wraps(test)
    def checked(results: Results) -> Finding:
        if not results.tickets.levels:
            return not_computed("pruning.levels", "is empty; give levels, and dense.seeds")
        if math.isnan(results.tickets.epsilon):
            return not_computed("dense.seeds", "give three or more, as their spread sets epsilon")
        return test(results)

    return checked


def is_start(point: Rewind) -> bool:
    """Whether a rewind point is the initialisation."""
    return point.length.split()[0] == "0"


def same_length(one: Rewind, other: Rewind) -> bool:
    """Whether two rewind points are trained for as long; lengths in other units count as different."""
    return [word.rstrip("s") for word in one.length.split()] == [word.rstrip("s") for word in other.length.split()]
