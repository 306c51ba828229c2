"""Groups of images with neighbouring scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.scores.neighbours import neighbours


def test_windows_lie_evenly_from_the_lowest_to_the_highest() -> None:
    score = np.array([5.0, np.nan, 1.0, 4.0, 2.0, 3.0])
    found = neighbours(score, groups=3, images=2)
    assert found["group"].tolist() == [0, 0, 1, 1, 2, 2]
    assert found["score"].tolist() == [1, 2, 3, 4, 4, 5]  # five have a score: windows begin at 0, 1.5 and 3
    assert found["row"].tolist() == [2, 4, 5, 3, 3, 0]
    assert found["percentile"].tolist() == [10, 30, 50, 70, 70, 90]


def test_images_never_learned_are_the_highest() -> None:
    found = neighbours(np.array([np.inf, 0.0, 2.0]), groups=2, images=1)
    assert found["row"].tolist() == [1, 0]


@given(
    scores=st.lists(st.floats(-9, 9) | st.just(float("nan")), min_size=1, max_size=40),
    groups=st.integers(1, 6),
    images=st.integers(1, 6),
)
def test_no_image_outside_of_a_group_lies_between_two_in_it(scores: list[float], groups: int, images: int) -> None:
    score = np.array(scores)
    if images > np.isfinite(score).sum():
        with pytest.raises(ValueError, match=f"images: {images} in a group are more than"):
            neighbours(score, groups, images)
        return
    found = neighbours(score, groups, images)
    assert found.groupby("group").size().tolist() == [images] * groups
    for _, rows in found.groupby("group")["row"]:
        inside = score[rows]
        others = np.delete(score, rows)
        assert len(set(rows)) == images
        assert not ((others > inside.min()) & (others < inside.max())).any()
    assert found["score"].min() == np.nanmin(score)
    assert found["score"].max() == np.nanmax(score) or groups == 1
