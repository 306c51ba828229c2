"""The angular dimension and the largest cut against sums and searches over every weight of diagonal Hessians."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from winnow.landscape.hessian import top_eigenpairs
from winnow.landscape.limit import Spectrum, angular_dimension, largest_cut
from winnow.landscape.spectrum import quadrature


def exactly(values: np.ndarray) -> Spectrum:
    """Some of the eigenvalues as the largest, the others as one probe's quadrature."""
    top, rest = np.sort(values)[::-1][:2], np.sort(values)[::-1][2:]
    return Spectrum(len(values), top, rest[None], np.full((1, len(rest)), 1 / len(rest)))


def by_definition(distance: float, epsilon: float, values: np.ndarray, flat: bool = True) -> float:
    values = values if flat else np.abs(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.where(values > 0, 2 * epsilon / values, np.inf)
        return float(np.where(np.isinf(squares), 1, squares / (distance**2 + squares)).sum())


spectra = st.lists(st.floats(-2, 100).map(lambda x: 0.0 if abs(x) < 1e-6 else x), min_size=3, max_size=30).map(np.array)


@given(spectra, st.floats(1e-3, 10), st.floats(1e-4, 1))
def test_angular_dimension(values: np.ndarray, distance: float, epsilon: float):
    found = angular_dimension(distance, epsilon, exactly(values))
    assert found == pytest.approx(by_definition(distance, epsilon, values))
    assert np.sum(values <= 0) - 1e-9 <= found <= len(values) + 1e-9
    assert angular_dimension(2 * distance, epsilon, exactly(values)) <= found + 1e-9
    assert angular_dimension(distance, 2 * epsilon, exactly(values)) >= found - 1e-9


@given(spectra, st.floats(1e-4, 1), st.integers(0, 1000))
def test_largest_cut_against_trying_every_one(values: np.ndarray, epsilon: float, seed: int):
    magnitudes = np.random.default_rng(seed).normal(size=len(values) - 1)
    ordered = np.sort(np.abs(magnitudes))
    possible = [0]
    for k in range(1, len(ordered) + 1):
        if k <= by_definition(np.sqrt(np.sum(ordered[:k] ** 2)), epsilon, values) + 1e-12:
            possible.append(k)
    assert largest_cut(magnitudes, epsilon, exactly(values)) == max(possible) / len(ordered)


@given(spectra, st.floats(1e-4, 1), st.floats(1e-3, 10))
def test_eigenvalues_by_their_size_allow_no_more(values: np.ndarray, epsilon: float, distance: float):
    by_size = angular_dimension(distance, epsilon, exactly(values), flat=False)
    assert by_size == pytest.approx(by_definition(distance, epsilon, values, flat=False))
    magnitudes = np.linspace(0.1, 1, len(values))
    assert largest_cut(magnitudes, epsilon, exactly(values), False) <= largest_cut(magnitudes, epsilon, exactly(values))


def test_the_sign_of_what_lies_near_zero_can_decide():
    """As at a sparse network: seen from far, a small eigenvalue either has no say or forbids half of the cut."""
    magnitudes = np.full(400, 0.8)  # the distance of all is 16
    near_zero = np.full(400, -3e-3)
    assert largest_cut(magnitudes, 0.05, exactly(near_zero)) == 1
    assert largest_cut(magnitudes, 0.05, exactly(near_zero), flat=False) < 0.5


def test_a_flat_loss_lets_all_go_and_a_steep_one_nothing():
    magnitudes = np.ones(10)
    assert largest_cut(magnitudes, 0.1, exactly(np.zeros(12))) == 1
    assert largest_cut(magnitudes, 0.1, exactly(np.full(12, 1e6))) == 0


def test_a_point_is_met_by_a_subspace_at_no_distance():
    assert angular_dimension(0.0, 0.1, exactly(np.array([1.0, 2, 3, 4]))) == pytest.approx(4)


def test_from_products_alone():
    """Of a spectrum like those of networks: a few large eigenvalues, many near zero, on both sides."""
    draws = np.random.default_rng(0)
    values = np.concatenate([[50.0, 20, 10, 5], draws.exponential(0.05, 400) - 0.01])
    h = torch.from_numpy(values)
    top, vectors = top_eigenpairs(lambda v: h * v, len(h), 4, tolerance=1e-8)
    nodes, weights = quadrature(lambda v: h * v, len(h), steps=30, probes=10, without=vectors)
    spectrum = Spectrum(len(h), top, nodes, weights)
    for distance in (0.5, 2.0, 10.0):
        expected = by_definition(distance, 0.1, values)
        assert angular_dimension(distance, 0.1, spectrum) == pytest.approx(expected, rel=0.02)
    magnitudes = np.abs(draws.normal(0, 0.3, 400))
    assert largest_cut(magnitudes, 0.1, spectrum) == pytest.approx(largest_cut(magnitudes, 0.1, exactly(values)), 0.02)
