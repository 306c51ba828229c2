"""Against the worked example of Demsar 2006 (table 6 and section 3.2.4), his table of quantiles, and scipy."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare

from winnow.analysis.ranks import cliques, critical_difference, friedman, ranking

# the ranks of four variants of C4.5 on 14 data sets, as he prints them: the values beside them are rounded
DEMSAR = pd.DataFrame(
    [
        (4, 3, 2, 1),
        (1, 2, 3, 4),
        (4, 1, 2, 3),
        (4, 1, 3, 2),
        (4, 2, 3, 1),
        (1, 2.5, 4, 2.5),
        (3, 2, 4, 1),
        (2.5, 2.5, 4, 1),
        (4, 3, 2, 1),
        (2.5, 2.5, 2.5, 2.5),
        (4, 2.5, 1, 2.5),
        (3, 2, 4, 1),
        (4, 1, 2, 3),
        (3, 1, 4, 2),
    ],
    columns=["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"],
)


def test_the_example_of_demsar() -> None:
    found = ranking(-DEMSAR)
    assert found.ranks.round(3).to_dict() == {"C4.5+m+cf": 1.964, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5": 3.143}
    # 9.28 in the paper, which corrects for no ties: 4 pairs and a four cost 78 of 14 * 60
    ties = sum(count**3 - count for count in (2, 2, 2, 4))
    assert found.statistic * (1 - ties / (14 * 60)) == pytest.approx(9.28, abs=0.01)
    assert found.critical == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, level=0.10) == pytest.approx(1.12, abs=0.005)
    assert found.cliques == [["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]]
    # at 0.10 he finds C4.5 worse than C4.5+m and C4.5+m+cf
    assert cliques(found.ranks, 1.12) == [["C4.5+m+cf", "C4.5+m", "C4.5+cf"], ["C4.5+cf", "C4.5"]]


def test_the_quantiles_of_demsars_table() -> None:
    table = (1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164)
    for methods, quantile in enumerate(table, start=2):
        root = np.sqrt(methods * (methods + 1) / 6)
        assert critical_difference(methods, 1) / root == pytest.approx(quantile, abs=0.0015)


@given(st.integers(3, 6), st.integers(2, 9), st.integers(0, 1000))
def test_the_statistic_is_that_of_scipy(methods, blocks, seed) -> None:
    values = np.random.default_rng(seed).integers(4, size=(blocks, methods)).astype(float)  # with ties
    if np.ptp(values, axis=1).max() == 0:
        return
    found = ranking(pd.DataFrame(values, columns=list(map(str, range(methods)))))
    statistic, p = friedmanchisquare(*values.T)
    assert found.statistic == pytest.approx(statistic)
    assert found.p == pytest.approx(p)


def test_blocks_that_rank_all_alike_tell_nothing() -> None:
    assert friedman(np.full((3, 4), 2.5)) == 0
    assert ranking(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]})).p == 1


@given(st.lists(st.floats(1, 20), min_size=2, max_size=12), st.floats(0.01, 20))
def test_cliques_are_every_pair_that_is_not_told_apart(values, critical) -> None:
    ranks = pd.Series(sorted(values), [f"m{place}" for place in range(len(values))])
    found = cliques(ranks, critical)
    for first in range(len(ranks)):
        for second in range(first + 1, len(ranks)):
            near = ranks.iloc[second] <= ranks.iloc[first] + critical
            together = any({ranks.index[first], ranks.index[second]} <= set(clique) for clique in found)
            assert near == together
    assert not any(set(a) <= set(b) for a in found for b in found if a is not b)


def test_what_has_no_ranks_is_an_error() -> None:
    with pytest.raises(ValueError, match="two methods and a block; there are 1 and 1"):
        ranking(pd.DataFrame({"a": [1.0]}))
    with pytest.raises(ValueError, match="b has no value"):
        ranking(pd.DataFrame({"a": [1.0], "b": [np.nan]}))
