"""The claims about rewind points of less data, on made-up results."""

import pytest

from tests.claims.made_up import EPSILON, children, level, tickets, with_tickets
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


STEPS = {"start": "0 steps", "early": "5 steps", "dense": "2 epochs", "late": "40 steps"}  # an epoch is 10
CONNECTED = {0: (50, 52, 51), 5: (70, 71, 72), 20: (90, 91, 92), 40: (99, 99, 98)}


def predicted(above, connected=CONNECTED, steps=STEPS, but=()):
    """Two levels from each rewind point. above: by how many points the error of the second is above dense's, in the
    order of the points; of the first it is half of that."""
    rewinds = {name: Rewind(data="full", length=length) for name, length in steps.items() if name != "dense"}
    levels, errors = {}, {}
    for name, own in zip(steps, above, strict=True):
        levels |= {f"{name}1": level("dense", rewind=name), f"{name}2": level(f"{name}1", rewind=name)}
        errors |= {f"{name}1": own / 2, f"{name}2": own}
    for name in but:
        del levels[name], errors[name]
    half = tickets(levels, errors, rewinds=rewinds, children=children({}, connected))
    return tickets_on_a_diet.connected_images_predict_success(with_tickets(half))


@pytest.mark.parametrize(
    ("above", "verdict", "effect"),
    [
        ((9.0, 6.0, 3.0, 0.0), HOLDS, 1.0), ((9.0, 6.0, 0.0, 3.0), HOLDS, 0.8), ((9.0, 0.0, 3.0, 6.0), FAILS, 0.2),
        ((0.0, 3.0, 6.0, 9.0), FAILS, -1.0), ((3.0, 0.0, 9.0, 6.0), FAILS, -0.6),
        ((5.0, 5.0, 5.0, 0.0), CANNOT_TELL, None),
    ],
)  # fmt: skip
def test_connected_images_predict_success(above, verdict, effect):
    """Where three points differ by chance only, seeds disagree on their order."""
    found = predicted(above)
    assert found.verdict == verdict
    assert effect is None or found.effect == pytest.approx(effect)
    assert -1 <= found.low <= found.effect <= found.high <= 1
    assert "25.0% of the weights" in found.why


def test_a_constant_has_no_rank_correlation():
    found = predicted((9.0, 6.0, 3.0, 0.0), dict.fromkeys(CONNECTED, (100, 100, 100)))
    assert (found.verdict, found.effect) == (CANNOT_TELL, None)
    assert found.why.startswith("spawn.at: as many images are connected")


def test_the_lowest_density_with_levels_of_all_points_counts():
    assert "50.0% of the weights" in predicted((9.0, 6.0, 3.0, 0.0), but=["late2"]).why


def test_too_few_rewind_points_children_or_levels_are_not_computed():
    errors = (9.0, 6.0, 3.0, 0.0)
    few = {name: STEPS[name] for name in ("start", "dense", "late")}
    twice = {**few, "again": "20 steps"}
    for found, why in (
        (predicted(errors[:3], steps=few), "pruning.rewinds: give 3 or more"),
        (predicted(errors, steps=twice), "pruning.rewinds: give 3 or more"),
        (predicted(errors, {0: (50, 50, 50), 20: (99, 99, 99)}), "spawn.at: add 5 steps, 40 steps, as"),
        (predicted(errors, {}), "spawn.at: add 2 epochs, 0 steps, 5 steps, 40 steps"),
        (
            predicted(errors, but=["late1", "late2"]),
            "pruning.levels: add levels pruned alike from each of dense, start",
        ),
    ):
        assert found.verdict == NOT_COMPUTED
        assert found.why.startswith(why)
