import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.selection.evidence import Given, HeldOut
from winnow.selection.methods.drop import drop, quotas_of


def evidence(recalls: list[float], sizes: list[int], **more) -> Given:
    """Ten validation images of each class, of which the share that recalls say is classified right."""
    classes = len(recalls)
    labels, place = np.repeat(np.arange(classes), 10), np.tile(np.arange(10), classes)
    right = place < np.repeat(np.round(np.multiply(recalls, 10)), 10)
    outputs = np.log(np.where(np.arange(classes) == np.where(right, labels, labels + 1)[:, None] % classes, 0.9, 0.01))
    return Given(np.repeat(np.arange(classes), sizes), classes, validation=HeldOut(labels, outputs), **more)


def counts(given_: Given, size: int, **options) -> list[int]:
    rows = drop(given_, size, np.random.default_rng(0), epoch=0, **options).rows
    assert len(set(rows.tolist())) == size
    return np.bincount(given_.labels[rows], minlength=given_.classes).tolist()


def test_quotas_by_hand():
    recalls, sizes = np.array([0.9, 0.8, 0.5]), np.array([100, 100, 100])
    np.testing.assert_allclose(quotas_of(recalls, sizes, 100, 0.1), [12.5, 25, 62.5])
    np.testing.assert_allclose(quotas_of(recalls, sizes, 240, 0.1), [140 / 3, 280 / 3, 100])
    np.testing.assert_allclose(quotas_of(np.array([1.0, 0.6]), sizes[:2], 44, 0.1), [44 / 21, 880 / 21])
    np.testing.assert_allclose(quotas_of(np.array([1.0, 0.6]), sizes[:2], 44, 0.0), [0, 44])
    np.testing.assert_allclose(quotas_of(np.array([1.0, 1.0]), sizes[:2], 44, 0.1), [22, 22])
    np.testing.assert_allclose(quotas_of(np.array([np.nan, 0.8, 0.6]), sizes, 90, 0.1), [30, 20, 40])


def test_counts_by_hand():
    assert counts(evidence([0.9, 0.8, 0.5], [100, 100, 100]), 100) == [13, 25, 62]
    assert counts(evidence([0.9, 0.8, 0.5], [100, 100, 100]), 240) == [47, 93, 100]
    assert counts(evidence([0.9, 0.5], [4, 40]), 44) == [4, 40]


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(1, 30)), min_size=2, max_size=6), st.data())
def test_as_many_as_asked_and_more_of_the_worse_classes(classes, data):
    right, sizes = zip(*classes, strict=True)
    size = data.draw(st.integers(1, sum(sizes)))
    found = counts(evidence([number / 10 for number in right], list(sizes)), size)
    for one, its_right, its_size in zip(found, right, sizes, strict=True):
        for other, other_right in zip(found, right, strict=True):
            assert one >= other - 1 or its_right > other_right or one == its_size


def test_of_a_class_the_highest_scores_or_any():
    scores = np.random.default_rng(1).random(200)
    given_ = evidence([0.5, 0.5], [100, 100], scores={"el2n": scores})
    rows = drop(given_, 20, np.random.default_rng(0), epoch=0, score="el2n").rows
    assert set(rows) == set(np.argsort(-scores[:100])[:10]) | set(100 + np.argsort(-scores[100:])[:10])
    one, other = (set(drop(given_, 20, np.random.default_rng(seed), epoch=0).rows) for seed in (0, 1))
    assert one != other


def test_without_validation_images():
    with pytest.raises(ValueError, match=r"^no validation images were given$"):
        drop(Given(np.zeros(3, np.int64), 1), 1, np.random.default_rng(0), epoch=0)
