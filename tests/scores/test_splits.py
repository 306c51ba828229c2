"""What is forgotten of a first half while a network trains on the second."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from winnow.scores.of_splits.second_split_forgetting import second_split_forgetting
from winnow.scores.seed_scores import NO_EPOCH
from winnow.scores.splits import of_splits
from winnow.storage import save_tensors


def forgotten_at(right: list[int]) -> int:
    """The paper's time: the first epoch, from 1, from which the image is wrong for good; else one after the last."""
    return next((epoch + 1 for epoch in range(len(right)) if not any(right[epoch:])), len(right) + 1)


def test_by_hand():
    """110110000 is forgotten for good at 6 of 9, 111111111 never (10), and what was wrong throughout at 1."""
    right = np.array([[int(letter) for letter in text] for text in ("110110000", "1" * 9, "0" * 9, "000000001")]).T
    assert [forgotten_at(list(row)) for row in right.T] == [6, 10, 1, 10]
    assert second_split_forgetting(right).tolist() == [4, 0, 9, 0]


@given(arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 6)), elements=st.integers(0, 1)))
def test_it_is_the_time_counted_from_the_end(right):
    expected = [len(right) + 1 - forgotten_at(list(row)) for row in right.T]
    assert second_split_forgetting(right).tolist() == expected


def test_every_image_has_the_value_of_the_training_that_saw_it_first(tmp_path):
    for seed, rows in ((7, [[0, 3], [1, 2, 4]]), (2, [[1, 4], [0, 2, 3]])):
        for order, own in zip(("ab", "ba"), rows, strict=True):
            right = (np.arange(3)[:, None] < np.array(own)).astype(np.uint8)  # image i is right in the first i epochs
            tensors = {"right": right, "rows": np.array(own)}
            save_tensors(tmp_path / order / f"seed{seed}" / "right.safetensors", tensors)
    found = of_splits("second_split_forgetting", tmp_path, 5)
    assert found.values.tolist() == [[[3, 2, 1, 0, 0]]] * 2
    assert (found.seeds, found.epochs) == ([2, 7], [NO_EPOCH])
