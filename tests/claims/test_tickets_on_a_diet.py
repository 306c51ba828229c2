"""The claims about rewind points of less data, on made-up results."""

import pytest
from made_up import EPSILON, level, tickets, with_tickets

from winnow.claims import tickets_on_a_diet
from winnow.claims.rules import CANNOT_TELL, FAILS, HOLDS, NOT_COMPUTED
from winnow.params.pruning import Rewind

METHODS = ("random", "el2n", "el2n-window0")


def verdict_of(test, data, above, length="2 epochs", **changes):
    """Two levels from a rewind point of this data, beside two from that of all images, above whose errors they are."""
    levels = {"l1": level("dense"), "l2": level("l1")}
    levels |= {"e1": level("dense", rewind="own"), "e2": level("e1", rewind="own", **changes)}
    rewinds = {"own": Rewind(data=data, length=length)}
    half = tickets(levels, {"l1": 0.0, "l2": 0.0, "e1": above, "e2": above}, rewinds=rewinds)
    return test(with_tickets(half, METHODS))


@pytest.mark.parametrize(
    ("above", "verdict"),
    [(0.0, HOLDS), (-5.0, HOLDS), (EPSILON - 0.02, CANNOT_TELL), (EPSILON + 0.02, CANNOT_TELL), (3.0, FAILS)],
)
def test_little_data_is_enough(above, verdict):
    assert verdict_of(tickets_on_a_diet.little_data_is_enough, "select/random-0.1", above).verdict == verdict


@pytest.mark.parametrize(("above", "verdict"), [(-3.0, HOLDS), (-0.2, HOLDS), (-0.1, FAILS), (3.0, FAILS)])
def test_easy_data_are_faster(above, verdict):
    """A gain that might be none and is surely below epsilon is not worth the name."""
    assert verdict_of(tickets_on_a_diet.easy_data_are_faster, "select/el2n-window0-0.1", above).verdict == verdict


@pytest.mark.parametrize(
    ("test", "data"),
    [
        (tickets_on_a_diet.little_data_is_enough, "select/random-0.1"),
        (tickets_on_a_diet.easy_data_are_faster, "select/el2n-window0-0.1"),
    ],
)
def test_rewind_points_are_compared_if_they_and_their_levels_are_alike(test, data):
    assert verdict_of(test, data, 0.0, length="3 epochs").why.startswith("pruning.levels: add levels from own")
    unlike = verdict_of(test, data, 0.0, criterion="random", prune=0.4)
    assert "e2" not in unlike.why
    assert "e1" in unlike.why
    for other in ("full", "select/el2n-0.1"):
        found = verdict_of(test, other, 0.0)
        assert (found.verdict, found.why.partition(":")[0]) == (NOT_COMPUTED, "pruning.rewinds")
