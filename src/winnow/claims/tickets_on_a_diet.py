"""The claims of Paul et al. 2022, "Lottery tickets on a data diet", tested."""

from winnow.claims.intervals import mean
from winnow.claims.levels import POINTS, alike, of_levels, same_length
from winnow.claims.results import Diet, Results, Tickets
from winnow.claims.rules import Comparison, Finding, all_of, any_of, not_computed, not_measured


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
        return not_computed("pruning.rewinds", "add one on the easiest images, such as select/el2n-window0-0.1")
    pairs = _pairs(results.tickets, kinds, "easiest", ("full", "random"))
    if not pairs:
        return _no_levels("easiest", kinds)
    bar = results.tickets.epsilon
    return any_of([_error_minus(results.tickets, other, own, below=bar) for own, other in pairs], POINTS)


def connected_images_predict_success(results: Results) -> Finding:
    """T3."""
    return not_measured("on which images networks are linearly connected at the rewind point")


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
