"""The claims about levels, on made-up results: well inside each verdict, and on both sides of its borders."""

import pandas as pd
import pytest

from tests.claims.made_up import EPSILON, level, tickets, with_tickets
from winnow.claims import unmasking
from winnow.claims.rules import CANNOT_TELL, FAILS, HOLDS, NOT_COMPUTED
from winnow.params.pruning import Rewind

LEVELS = {
    "l1": level("dense"),
    "l2": level("l1"),
    "l3": level("l2"),
    "o2": level("dense", 0.75, variant="one_shot"),
    "o3": level("dense", 0.875, variant="one_shot"),
}
MATCHING = dict.fromkeys(["l1", "l2", "l3", "o2", "o3"], 0.0)


def further(**above: float):
    return unmasking.iteration_reaches_further(with_tickets(tickets(LEVELS, {**MATCHING, **above})))


@pytest.mark.parametrize(
    ("above", "verdict"),
    [
        ({"o3": 5.0}, HOLDS),
        ({"o3": 5.0, "o2": 5.0}, HOLDS),
        ({"o3": EPSILON + 0.01}, HOLDS),
        ({}, CANNOT_TELL),  # all match
        ({"o3": EPSILON - 0.01}, CANNOT_TELL),
        ({"l3": 5.0, "o3": 5.0}, FAILS),  # neither matches, and iterated is no better
        ({"l3": 5.0, "o3": 9.0}, CANNOT_TELL),  # neither matches; iterated is better
        ({"l3": 5.0}, FAILS),
    ],
)
def test_iteration_reaches_further(above, verdict):
    assert further(**above).verdict == verdict


def test_levels_are_compared_at_the_same_density_only():
    levels = {**LEVELS, "o3": level("dense", 0.9, variant="one_shot")}
    found = unmasking.iteration_reaches_further(with_tickets(tickets(levels, {**MATCHING, "o3": 9.0})))
    assert found.verdict == CANNOT_TELL
    assert "25.0%" in found.why
    del levels["o2"]
    found = unmasking.iteration_reaches_further(with_tickets(tickets(levels, {**MATCHING, "o3": 9.0})))
    assert (found.verdict, found.why) == (
        NOT_COMPUTED,
        "pruning.levels: add one cut at once from dense, with prune: 0.875",
    )


def test_levels_that_are_made_in_another_way_are_not_compared():
    ways = {"criterion": "random"}, {"weights": "trained"}, {"data": "select/random-0.5"}, {"rewind": "early"}
    for way in ways:
        levels = {name: LEVELS[name] for name in ("l1", "l2")} | {"o2": level("dense", 0.75, **way)}
        found = unmasking.iteration_reaches_further(with_tickets(tickets(levels, {**MATCHING, "o2": 9.0})))
        assert found.verdict == NOT_COMPUTED


def test_what_is_not_pruned_rewound_and_trained_is_no_cut_of_a_row():
    levels = {
        "l1": level("dense"),
        "f1": level("l1", None, variant="fresh"),
        "f2": level("f1"),
        "d0": level("dense", None, variant="dense"),
        "d1": level("d0"),
        "d2": level("d1"),
        "r2": level("d2", None, variant="random"),
        "n1": level("none", 0.5),
    }
    half = tickets(levels, dict.fromkeys(levels, 0.0))
    assert {name: half.cuts(name) for name in levels} == {
        "l1": ["l1"], "f1": [], "f2": [], "d0": [], "d1": ["d1"], "d2": ["d1", "d2"], "r2": [], "n1": [],
    }  # fmt: skip


def pairs(matching_connected: int, matching_not: int, others_connected: int, others_not: int):
    counts = {(True, True): matching_connected, (False, True): matching_not}
    counts |= {(True, False): others_connected, (False, False): others_not}
    rows = [pair for pair, count in counts.items() for _ in range(count)]
    table = pd.DataFrame([*rows, (None, None)], columns=["connected", "both_match"], dtype=object)
    return unmasking.connected_if_and_only_if_matching(with_tickets(tickets(LEVELS, MATCHING, pairs=table)))


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((7, 0, 0, 7), HOLDS),  # 0.0125 ^ (1/7) is 0.53
        ((6, 0, 0, 7), CANNOT_TELL),  # 0.0125 ^ (1/6) is 0.48
        ((7, 0, 0, 6), CANNOT_TELL),
        ((0, 7, 0, 7), FAILS),
        ((7, 0, 7, 0), FAILS),
        ((11, 0, 0, 0), CANNOT_TELL),  # nothing does not match
        ((0, 11, 0, 0), FAILS),
        ((20, 2, 2, 20), HOLDS),
    ],
)
def test_connected_if_and_only_if_matching(counts, verdict):
    assert pairs(*counts).verdict == verdict


def test_without_pairs_nothing_is_said_of_them():
    assert pairs(0, 0, 0, 0).verdict == NOT_COMPUTED


EARLY = {"start": Rewind(data="full", length="0 steps")}
FROM_START = {**LEVELS, "s1": level("dense", rewind="start"), "s2": level("s1", rewind="start")}


@pytest.mark.parametrize(
    ("above", "verdict"),
    [({"s2": 6.0}, HOLDS), ({}, CANNOT_TELL), ({"l2": 6.0, "s2": 6.0}, FAILS), ({"l2": 6.0}, FAILS)],
)
def test_rewinding_to_the_start_is_too_early(above, verdict):
    half = tickets(FROM_START, {**MATCHING, "s1": 0.0, "s2": 0.0, **above}, rewinds=EARLY)
    assert unmasking.rewinding_to_the_start_is_too_early(with_tickets(half)).verdict == verdict


def test_other_rewind_points_are_no_start():
    later = {"start": Rewind(data="full", length="10 steps")}
    found = unmasking.rewinding_to_the_start_is_too_early(
        with_tickets(tickets(FROM_START, MATCHING | {"s1": 0.0, "s2": 9.0}, rewinds=later))
    )
    assert (found.verdict, found.why.partition(":")[0]) == (NOT_COMPUTED, "pruning.rewinds")
    found = unmasking.rewinding_to_the_start_is_too_early(with_tickets(tickets(LEVELS, MATCHING, rewinds=EARLY)))
    assert (found.verdict, found.why.partition(":")[0]) == (NOT_COMPUTED, "pruning.levels")


def perturbed(**barriers: dict[float, float]):
    """barriers: mean points by length, of the runs from steps 0 (a), 10 (b), …"""
    rows = [
        (run, 10 * i, multiple, seed, split, (mean + spread) / 100 if split == "test" else 0.5)
        for i, (run, of_length) in enumerate(barriers.items())
        for multiple, mean in of_length.items()
        for seed, spread in enumerate((0.01 * i, 0.02, -0.01 * i))
        for split in ("train", "test")
    ]
    table = pd.DataFrame(rows, columns=["run", "rewind_steps", "multiple", "seed", "split", "barrier"])
    return unmasking.perturbations_are_returned_from(with_tickets(tickets(LEVELS, MATCHING, perturbed=table)))


@pytest.mark.parametrize(
    ("early", "late", "verdict"),
    [
        ({1.0: 0.1, 9.0: 9.0}, {1.0: 0.1, 9.0: 4.0}, HOLDS),
        ({1.0: 5.0, 9.0: 9.0}, {1.0: 0.1, 9.0: 4.0}, HOLDS),  # an early rewind point need not be robust
        ({1.0: 0.1, 9.0: 9.0}, {1.0: 3.0, 9.0: 4.0}, FAILS),
        ({1.0: 0.1, 9.0: 9.0}, {1.0: 0.1, 9.0: 0.1}, FAILS),
        ({1.0: 0.1, 9.0: 4.0}, {1.0: 0.1, 9.0: 9.0}, FAILS),
        ({1.0: 0.1, 9.0: 4.0}, {1.0: 0.1, 9.0: 4.0}, CANNOT_TELL),
        ({1.0: 0.1, 9.0: 9.0}, {1.0: EPSILON, 9.0: 4.0}, CANNOT_TELL),
    ],
)
def test_perturbations_are_returned_from(early, late, verdict):
    assert perturbed(a=early, b=late).verdict == verdict


def test_perturbations_that_were_not_tried_are_named():
    one = perturbed(a={1.0: 0.1, 9.0: 9.0})
    assert (one.verdict, one.why.partition(":")[0]) == (NOT_COMPUTED, "perturbation.runs")
    assert perturbed(a={1.0: 9.0, 9.0: 9.0}).verdict == FAILS
    for lengths in ({3.0: 0.1, 9.0: 9.0}, {0.7: 0.1, 1.0: 0.1}):
        found = perturbed(a=lengths, b=lengths)
        assert (found.verdict, found.why.partition(":")[0]) == (NOT_COMPUTED, "perturbation.scales")
    assert perturbed().why.startswith("perturbation.runs")


CUTS = {"small": level("dense", 0.2), "large": level("dense", 0.9, variant="trial"), "next": level("small", 0.2)}


@pytest.mark.parametrize(
    ("above", "barrier", "verdict"),
    [
        ({}, {"large": 3.0}, HOLDS),
        ({"large": 3.0}, {}, HOLDS),  # a line that only rises
        ({}, {}, CANNOT_TELL),
        ({}, {"large": EPSILON}, CANNOT_TELL),
        ({}, {"small": 3.0}, FAILS),
        ({}, {"small": 3.0, "large": 5.0}, CANNOT_TELL),  # the limit is below the smallest cut
    ],
)
def test_large_cuts_leave_the_sublevel_set(above, barrier, verdict):
    half = tickets(CUTS, {**dict.fromkeys(CUTS, 0.0), **above}, barrier=barrier)
    assert unmasking.large_cuts_leave_the_sublevel_set(with_tickets(half)).verdict == verdict


def test_the_excess_is_barrier_or_rise_of_each_replicate():
    half = tickets(CUTS, {"small": 1.0, "large": 0.0, "next": 1.0}, barrier={"next": 2.0, "large": 1.0})
    assert unmasking.excess(half, "dense", "small") == pytest.approx([1 - 0.04, 1 + 0.04, 1.0])
    assert unmasking.excess(half, "small", "next") == pytest.approx([2 - 0.08, 2 + 0.08, 2.0])


def predicted(middle: float, inside: float, outside: float | None, spread: float = 0.001):
    rows = [("l1", seed, middle + seed * spread, middle + seed * spread + 0.02) for seed in (-1, 0, 1)]
    curvature = pd.DataFrame(rows, columns=["level", "seed", "predicted_low", "predicted_high"])
    limits = pd.DataFrame(
        [("l1", 0.5, inside, outside)], columns=["level", "density", "largest_inside", "smallest_outside"]
    )
    half = tickets(LEVELS, MATCHING, curvature=curvature, cut_limits=limits)
    return unmasking.curvature_predicts_the_largest_cut(with_tickets(half))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (predicted(0.80, 0.78, 0.84), HOLDS),
        (predicted(0.80, 0.78, 0.95), CANNOT_TELL),  # the measured range is wide
        (predicted(0.80, 0.78, None), CANNOT_TELL),
        (predicted(0.80, 0.78, 0.84, spread=0.1), CANNOT_TELL),
        (predicted(0.50, 0.78, 0.84), FAILS),
        (predicted(0.95, 0.40, 0.60), FAILS),
        (predicted(0.80, 0.90, 0.92), CANNOT_TELL),
    ],
)
def test_curvature_predicts_the_largest_cut(found, verdict):
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("cut", "twice", "verdict"),
    [
        ({"l2": 1.0, "l3": 1.0}, {"l1": 9.0, "l2": 9.0}, HOLDS),
        ({"l2": 1.0, "l3": 1.0}, {"l1": 1.0, "l2": 1.0}, CANNOT_TELL),
        ({"l2": 9.0, "l3": 9.0}, {"l1": 1.0, "l2": 1.0}, FAILS),
        ({"l2": 1.0, "l3": 1.0}, {"l1": 0.5, "l2": 9.0}, HOLDS),  # it is the mean that counts
    ],
)
def test_retraining_makes_the_next_cut_cheap(cut, twice, verdict):
    found = unmasking.retraining_makes_the_next_cut_cheap(with_tickets(tickets(LEVELS, MATCHING, cut=cut, twice=twice)))
    assert found.verdict == verdict


INSIDE = {"l1": 0.1, "l2": 0.1, "l3": 0.1}


@pytest.mark.parametrize(
    ("cut", "verdict"),
    [
        ({**INSIDE, "o2": 0.1, "o3": 9.0}, HOLDS),
        ({**INSIDE, "l3": 9.0, "o2": 9.0, "o3": 20.0}, HOLDS),  # l3 is not needed where o2 leaves already
        ({**INSIDE, "l1": 3.0, "o2": 9.0, "o3": 9.0}, FAILS),
        ({**INSIDE, "o2": 0.1, "o3": 0.1}, CANNOT_TELL),
        ({**INSIDE, "o2": 0.1, "o3": EPSILON + 0.02}, CANNOT_TELL),
    ],
)
def test_small_cuts_stay_inside(cut, verdict):
    assert unmasking.small_cuts_stay_inside(with_tickets(tickets(LEVELS, MATCHING, cut=cut))).verdict == verdict
