"""Moments of the quadrature against the exact eigenvalues."""

import numpy as np
import pytest
import torch

from tests.landscape.tiny import exact_hessian, images, rectified, smooth
from winnow.landscape.hessian import hessian_product, random_signs, top_eigenpairs
from winnow.landscape.live import count, live_entries
from winnow.landscape.spectrum import density, integrate, quadrature


@pytest.mark.parametrize("make", [smooth, rectified])
def test_moments_of_a_hessian(make):
    network, data = make(), images()
    h = exact_hessian(network, data)
    size = len(h)
    product = hessian_product(network, data.batches(128), live_entries(network, {}))
    nodes, weights = quadrature(product, size, steps=12, probes=4)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    for probe in range(4):  # for polynomials of low degree, each probe's sum is its own quadratic form
        v = random_signs(size, 0, probe)
        assert weights[probe] @ nodes[probe] == pytest.approx(float(v @ h @ v) / size)
        assert weights[probe] @ nodes[probe] ** 2 == pytest.approx(float((h @ v).square().sum()) / size)
        assert weights[probe] @ nodes[probe] ** 5 == pytest.approx(
            float(v @ torch.linalg.matrix_power(h, 5) @ v) / size
        )
    many = quadrature(product, size, steps=3, probes=100)
    values = torch.linalg.eigvalsh(h).numpy()
    for power in (1, 2):
        each = (many[1] * many[0] ** power).sum(axis=1)
        error = each.std(ddof=1) / 10
        assert integrate(*many, lambda x, p=power: x**p) == pytest.approx((values**power).mean(), abs=4 * error)


def test_a_diagonal_matrix_has_all_its_eigenvalues_found():
    values = torch.tensor([-1.0, 0, 2, 5], dtype=torch.float64)
    nodes, weights = quadrature(lambda v: values * v, 4, steps=4, probes=2)
    np.testing.assert_allclose(nodes, [[-1, 0, 2, 5]] * 2, atol=1e-12)
    np.testing.assert_allclose(weights, 0.25)


def test_an_exhausted_probe_leaves_weight_zero():
    nodes, weights = quadrature(lambda v: 3 * v, 10, steps=5, probes=2)
    np.testing.assert_allclose(nodes[:, 0], 3)
    np.testing.assert_allclose(weights, [[1, 0, 0, 0, 0]] * 2)
    nodes, weights = quadrature(lambda v: torch.arange(3) * v, 3, steps=5, probes=1)
    np.testing.assert_allclose(nodes, [[0, 1, 2, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(weights, [[1 / 3, 1 / 3, 1 / 3, 0, 0]])


def test_eigenvectors_can_be_left_out():
    network, data = smooth(), images()
    h = exact_hessian(network, data)
    product = hessian_product(network, data.batches(128), live_entries(network, {}))
    top, vectors = top_eigenpairs(product, len(h), 5, tolerance=1e-9)
    nodes, weights = quadrature(product, len(h), steps=10, probes=50, without=vectors)
    assert nodes.max() < top[-1]
    each = (weights * nodes).sum(axis=1)
    rest = (float(h.trace()) - top.sum()) / (len(h) - 5)
    assert each.mean() == pytest.approx(rest, abs=4 * each.std(ddof=1) / np.sqrt(50) + 0.01 * abs(rest))


def test_a_basis_of_vectors_that_the_matrix_hardly_changes_is_orthogonal_still():
    values = 1 + 1e-8 * torch.arange(20, dtype=torch.float64)
    nodes, _ = quadrature(lambda v: values * v, 20, steps=20, probes=1)
    np.testing.assert_allclose((nodes[0] - 1) * 1e8, np.arange(20), atol=1e-4)


def test_single_precision_keeps_the_basis_orthogonal():
    """Without reorthogonalisation the largest eigenvalue would be found many times over."""
    network, data = rectified().float(), images()
    live = live_entries(network, {})
    nodes, weights = quadrature(hessian_product(network, data.batches(128), live), count(live), steps=60, probes=1)
    h = torch.linalg.eigvalsh(exact_hessian(rectified(), data)).numpy()
    assert nodes.max() == pytest.approx(h[-1], rel=1e-5)
    np.testing.assert_allclose(np.sort(nodes[0])[-4:], h[-4:], rtol=1e-4)
    assert weights.min() >= 0


def test_density_is_that_of_the_eigenvalues_smoothed():
    nodes, weights = np.array([[0.0, 2.0], [0.0, 1.0]]), np.array([[0.5, 0.5], [1.0, 0.0]])
    grid = np.linspace(-4, 6, 2001)
    found = density(nodes, weights, grid, width=0.3)
    bell = lambda at: np.exp(-((grid - at) ** 2) / 0.18) / (0.3 * np.sqrt(2 * np.pi))  # noqa: E731
    np.testing.assert_allclose(found, 0.75 * bell(0) + 0.25 * bell(2))
    assert np.trapezoid(found, grid) == pytest.approx(1)
