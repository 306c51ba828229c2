"""The Frechet distance, against numbers by hand and scipy's root of a matrix."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from winnow.selection.frechet import Moments, frechet_distance, moments, principal, together

RNG = np.random.default_rng


def of(mean, covariance) -> Moments:
    """Of 11 rows."""
    return Moments(11, np.array(mean, float), 10 * np.array(covariance, float))


def test_by_hand():
    # along each axis (m - m')^2 + (s - s')^2
    a, b = of([0, 0], [[1, 0], [0, 4]]), of([3, 0], [[9, 0], [0, 16]])
    assert frechet_distance(a, b) == pytest.approx(9 + 4 + 4)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("few", [3, 50])  # 3 rows: singular
def test_it_is_that_of_the_root_of_the_product(few):
    a, b = RNG(0).normal(size=(40, 6)), RNG(1).normal(size=(few, 6)) @ RNG(2).normal(size=(6, 6)) + 1
    root = np.trace(sqrtm(np.cov(a.T) @ np.cov(b.T)).real)
    apart = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    expected = apart + np.trace(np.cov(a.T)) + np.trace(np.cov(b.T)) - 2 * root
    assert frechet_distance(moments(a), moments(b)) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(moments(b), moments(a)) == pytest.approx(expected, rel=1e-6)


def test_parts_together_are_the_whole():
    rows = RNG(0).normal(size=(30, 4)) + 5
    whole, parts = moments(rows), together(together(moments(rows[:1]), moments(rows[1:12])), moments(rows[12:]))
    assert parts.count == 30
    np.testing.assert_allclose(parts.mean, rows.mean(axis=0))
    np.testing.assert_allclose(parts.covariance, np.cov(rows.T))
    np.testing.assert_allclose(whole.covariance, np.cov(rows.T))


def test_the_principal_components_are_those_of_a_public_package():
    from sklearn.decomposition import PCA

    a, b = RNG(0).normal(size=(30, 6)) * [1, 2, 3, 4, 5, 6], RNG(1).normal(size=(20, 6)) + 1
    ours = np.concatenate(principal(a, b, 3))
    theirs = PCA(3).fit_transform(np.concatenate([a, b]))
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-9)
    as_they_are = principal(a, b, 6)
    assert (as_they_are[0] == a).all()
    assert (as_they_are[1] == b).all()
