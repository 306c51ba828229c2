import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.selection.evidence import Given
from winnow.selection.methods.paser import paser


def chosen(values: list[float], labels: list[int], size: int) -> list[int]:
    evidence = Given(np.array(labels), max(labels) + 1, {"compression_gap": np.array(values)})
    return sorted(paser(evidence, size, np.random.default_rng(0), epoch=0, score="compression_gap").rows.tolist())


def test_by_hand():
    """Means .4 and .2, so of six images four and two are of the two classes, and each has its highest; of nine, class 0
    gives all of its five, and the other the rest."""
    values = [0.1, 0.6, 0.5, 0.3, 0.5, 0.4, 0.0, 0.2, 0.2, 0.2]
    labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert chosen(values, labels, 6) == [1, 2, 3, 4, 5, 7]
    assert chosen(values, labels, 9) == [0, 1, 2, 3, 4, 5, 7, 8, 9]


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), min_size=1, max_size=40), st.data())
def test_as_many_as_asked_and_of_a_class_the_highest(images, data):
    values, labels = zip(*images, strict=True)
    size = data.draw(st.integers(1, len(images)))
    rows = chosen(list(values), list(labels), size)
    assert len(set(rows)) == size
    left = set(range(len(images))) - set(rows)
    assert all(values[one] >= values[other] for one in rows for other in left if labels[one] == labels[other])


def test_quotas_need_means_from_0_on():
    with pytest.raises(ValueError, match=r"^score: compression_gap has classes with a mean below 0"):
        chosen([-1.0, 1.0], [0, 1], 1)
