import numpy as np
import pandas as pd
import pytest

from winnow.analysis.spread import band, spread


def test_of_five_values_by_hand():
    """The 16th percentile lies 0.64 of a step above the first value, the 84th as much below the last."""
    assert band([5, 1, 2, 3, 4]) == pytest.approx((1.64, 4.36))


def test_groups_keep_their_order_and_missing_values_are_left_out():
    table = pd.DataFrame({"b": [2, 2, 1, 1, 3], "a": list("yyxxz"), "value": [1.0, 3.0, 7.0, np.nan, np.nan]})
    found = spread(table, ["a", "b"], "value")
    assert list(found.columns) == ["a", "b", "mean", "low", "high", "count"]
    assert found.to_numpy().tolist() == [
        ["y", 2, 2.0, pytest.approx(1.32), pytest.approx(2.68), 2],
        ["x", 1, 7.0, 7.0, 7.0, 1],
    ]
    assert list(spread(table.iloc[:0], ["a"], "value").columns) == ["a", "mean", "low", "high", "count"]
