import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from winnow.analysis.extremes import extremes


def table(scores, labels):
    return pd.DataFrame({"label": labels, "id": [f"id{i}" for i in range(len(scores))], "el2n_mean": scores})


def test_images_are_the_extremes_of_their_class():
    scores = np.random.default_rng(0).permutation(60) / 60
    found = extremes(table(scores, np.arange(60) % 3), "el2n_mean", 2)
    expected = []
    for label in range(3):
        rising = sorted((row for row in range(60) if row % 3 == label), key=lambda row: scores[row])
        expected += [(label, "easiest", row) for row in rising[:2]] + [(label, "hardest", row) for row in rising[-2:]]
    assert list(found[["label", "side", "row"]].itertuples(index=False, name=None)) == expected
    assert found["id"].tolist() == [f"id{row}" for _, _, row in expected]
    np.testing.assert_array_equal(found["score"], scores[found["row"]])


@given(st.lists(st.floats(-10, 10) | st.just(np.nan) | st.just(np.inf), max_size=30).map(np.array), st.integers(1, 8))
def test_extremes_are_lowest_and_highest_and_none_twice(scores, count):
    scores = scores.astype(float)
    found = extremes(table(scores, np.zeros(len(scores), int)), "el2n_mean", count)
    lowest, highest = (found.loc[found["side"] == side, "row"] for side in ("easiest", "hardest"))
    known = np.sort(scores[~np.isnan(scores)])
    np.testing.assert_array_equal(scores[lowest], known[: len(lowest)])
    np.testing.assert_array_equal(scores[highest], known[len(known) - len(highest) :])
    assert not set(lowest) & set(highest)
    assert len(lowest) + len(highest) == min(2 * count, len(known))
    assert len(highest) - len(lowest) in (0, 1)
