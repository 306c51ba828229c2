"""Verdicts of intervals whose place is known, at the borders too."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.claims.intervals import Interval
from winnow.claims.rules import (
    CANNOT_TELL,
    FAILS,
    HOLDS,
    NOT_COMPUTED,
    Comparison,
    Near,
    all_of,
    any_of,
    not_computed,
)


def fixed(low: float, high: float, **bounds: float) -> Comparison:
    return Comparison("it", lambda confidence: Interval((low + high) / 2, low, high), **bounds)


WELL, BADLY, UNSURE = fixed(1, 2), fixed(-2, -1), fixed(-1, 1)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.01, 9, HOLDS), (1, 9, CANNOT_TELL), (-9, 2, CANNOT_TELL), (-9, 1.99, FAILS), (1.01, 1.5, HOLDS),
        (math.nan, math.nan, CANNOT_TELL),
    ],
)  # fmt: skip
def test_one_comparison_and_its_two_bounds(low, high, verdict):
    assert any_of([fixed(low, high, above=1.0, below=2.0)], "points").verdict == verdict
    assert all_of([fixed(low, high, above=1.0, below=2.0)], "points").verdict == verdict


def test_without_a_second_bound_the_first_counts_on_both_sides():
    bounds = {"above": -0.5}
    found = [any_of([fixed(*ends, **bounds)], "points").verdict for ends in ((-0.4, 0), (-0.6, 0), (-0.9, -0.6))]
    assert found == [HOLDS, CANNOT_TELL, FAILS]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.9, 0.9, HOLDS), (-1, 0.9, CANNOT_TELL), (-0.9, 1, CANNOT_TELL), (0.9, 1.1, CANNOT_TELL), (1.1, 2, FAILS),
        (-2, -1.1, FAILS), (-2, 2, CANNOT_TELL), (math.nan, math.nan, CANNOT_TELL),
    ],
)  # fmt: skip
def test_near_to_nothing(low, high, verdict):
    near = Near("it", lambda confidence: Interval((low + high) / 2, low, high), 1.0)
    assert all_of([near], "points").verdict == verdict


@pytest.mark.parametrize(
    ("parts", "of_all", "of_any"),
    [
        ([WELL, WELL], HOLDS, HOLDS), ([WELL, UNSURE], CANNOT_TELL, HOLDS), ([WELL, BADLY], FAILS, HOLDS),
        ([UNSURE, BADLY], FAILS, CANNOT_TELL), ([BADLY, BADLY], FAILS, FAILS),
    ],
)  # fmt: skip
def test_several_comparisons(parts, of_all, of_any):
    assert all_of(parts, "points").verdict == of_all
    assert any_of(parts, "points").verdict == of_any


def test_the_effect_that_decides_is_shown():
    weaker, stronger = fixed(1, 2), fixed(3, 4)
    assert all_of([stronger, weaker], "points").effect == 1.5
    assert any_of([weaker, stronger], "points").effect == 3.5
    assert any_of([weaker, BADLY], "points").effect == 1.5
    assert all_of([weaker, BADLY], "points").effect == -1.5


def test_many_comparisons_have_wider_intervals():
    asked = []

    def estimate(confidence):
        asked.append(confidence)
        return Interval(1.0, 0.5, 1.5)

    found = any_of([Comparison(f"number {i}", estimate) for i in range(10)], "points")
    assert asked == pytest.approx([0.995] * 10)
    assert found.why == "number 0: +1.00 points [+0.50, +1.50] (intervals corrected for 10 comparisons)"


def test_a_missing_part_keeps_a_claim_open_unless_another_refutes_it():
    missing = not_computed("select.keep", "add 0.1")
    assert all_of([], "points", missing) == missing
    found = all_of([WELL], "points", missing)
    assert (found.verdict, found.effect) == (NOT_COMPUTED, 1.5)
    assert found.why == "select.keep: add 0.1. So far: it: +1.50 points [+1.00, +2.00]"
    assert all_of([BADLY], "points", missing).verdict == FAILS


def test_one_seed_tells_nothing_and_says_why():
    found = all_of([Comparison("it", lambda confidence: Interval(3.0, math.nan, math.nan))], "points")
    assert (found.verdict, found.effect, found.low, found.high) == (CANNOT_TELL, 3.0, None, None)
    assert found.why == "it: +3.00 points; one seed has no spread, give more"


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 5)), min_size=1, max_size=6))
def test_to_say_the_opposite_of_all_is_to_say_that_of_any(ends):
    """Not (all above 0) is (one below 0): the two ways of putting comparisons together mirror each other."""
    parts = [fixed(low, low + width) for low, width in ends]
    mirrored = [fixed(-low - width, -low) for low, width in ends]
    opposite = {HOLDS: FAILS, FAILS: HOLDS, CANNOT_TELL: CANNOT_TELL}
    assert any_of(mirrored, "points").verdict == opposite[all_of(parts, "points").verdict]
