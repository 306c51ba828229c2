"""The headline and numbers as text."""

import math

import pandas as pd
import pytest

from tests.page.made_up_page import claim
from winnow.page.words import headline, in_numbers, number, some

SUMMARY = {"full": 0.98, "el2n": 0.975, "random": 0.96, "dense": 0.026, "density": 0.028}
CLAIMS = {"D1": claim("holds", 1.0), "D2": claim("cannot tell"), "U1": claim("not computed")}
COLUMNS = ["method", "fraction", "baseline", "low", "high"]


def against(low: float, high: float, fraction: float = 0.5) -> pd.DataFrame:
    rows = [("el2n", 0.1, "random", -0.9, -0.8), ("el2n", fraction, "random", low, high),
            ("el2n", fraction, "full", 0.5, 0.6), ("grand", fraction, "random", 0.5, 0.6)]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.mark.parametrize(
    ("low", "high", "end"),
    [
        (0.01, 0.02, "; the difference to random, +1.00 to +2.00 points, is more than chance."),
        (-0.02, -0.01, "; the difference to random, -2.00 to -1.00 points, is more than chance."),
        (-0.01, 0.02, "; the difference to random, -1.00 to +2.00 points, cannot be told from chance."),
        (0.0, 0.02, "; the difference to random, +0.00 to +2.00 points, cannot be told from chance."),
        (math.nan, math.nan, "; one seed each cannot tell these from chance."),
    ],
)
def test_the_first_sentence_says_what_the_interval_tells(low: float, high: float, end: str) -> None:
    (first, _, _) = headline(SUMMARY, CLAIMS, against(low, high))
    assert first.startswith("Networks reach a test accuracy of 97.50% on about half")
    assert first.endswith(end)


def test_the_headline_counts_the_claims_and_names_those_that_are_decided() -> None:
    third = headline(SUMMARY, CLAIMS, against(0, 1))[2]
    assert third == (
        "Of the papers' 3 claims, 1 hold on these data and networks (D1), 0 do not, 1 cannot be told from these seeds, "
        "and 1 need results that this run does not have."
    )


def test_without_numbers_the_headline_says_what_it_cannot_tell() -> None:
    first, second, _ = headline({}, CLAIMS, pd.DataFrame(columns=COLUMNS))
    assert first == "No network was retrained, so this page cannot tell what smaller training sets are worth."
    assert second == "No network was pruned, so this page says nothing of lottery tickets."
    no_subset = headline({"full": 0.98, "dense": 0.1}, CLAIMS, pd.DataFrame(columns=COLUMNS))
    assert no_subset[0].endswith("98.00% on all images; no subset of about half of them was chosen by EL2N.")
    assert no_subset[1] == "The dense networks have a test error of 10.00%; no pruned network is known to match them."


def test_dense_itself_is_no_pruned_network_that_matches() -> None:
    assert "no pruned network" in headline({**SUMMARY, "density": 1.0}, CLAIMS, against(0, 1))[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [(540.0, "540"), (0.099917, "0.09992"), (1.2e-05, "1.2e-05"), (-0.5, "-0.5"), (math.nan, ""), (math.inf, "∞"),
     (0.0, "0"), (1e300, "1e+300")],
)  # fmt: skip
def test_numbers_have_four_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_long_lists_are_cut() -> None:
    assert some([]) == ""
    assert some(["a"]) == "a"
    assert some(["a", "b", "c"]) == "a, b and c"
    assert some(list("abcde"), 3) == "a, b, c, … (5 in all)"


def test_a_figure_in_numbers_gives_the_range_of_every_group() -> None:
    rows = pd.DataFrame({"method": ["el2n", "el2n", "full"], "test_error": [0.5, 0.25, 0.125]})
    assert in_numbers(rows, "test_error", "method") == "Test error by method: EL2N 0.25 to 0.5 and full 0.125."
    assert in_numbers(rows, "test_error", "") == "Test error from 0.125 to 0.5."
    assert in_numbers(rows[:0], "test_error", "method") == ""
