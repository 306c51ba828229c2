"""Products, eigenvalues and trace against the whole Hessian of small networks, from torch.autograd.functional."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.landscape.tiny import exact_hessian, images, rectified, smooth, some_mask
from winnow.landscape.hessian import Product, hessian_product, top_eigenpairs, trace
from winnow.landscape.live import count, live_entries
from winnow.networks import initialise
from winnow.params.training import Network

NETWORKS = [smooth, rectified]


def matrix(product: Product, size: int) -> Tensor:
    return torch.stack([product(row) for row in torch.eye(size, dtype=torch.float64)])


def times(h: Tensor) -> Product:
    return lambda vector: h @ vector


def symmetric(size: int, rank: int | None = None) -> Tensor:
    """Eigenvalues of both signs, which come closer to each other towards zero."""
    rows = torch.randn(size, size, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    values = torch.linspace(-2, 3, size, dtype=torch.float64) ** 3
    values[size if rank is None else rank :] = 0
    vectors = torch.linalg.qr(rows).Q
    return vectors * values @ vectors.T


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize(("keep_bytes", "masked"), [(2**30, False), (0, True)])
def test_products_are_those_of_the_exact_hessian(make: Callable[[], nn.Module], keep_bytes: int, masked: bool):
    network, data = make(), images()
    live = live_entries(network, some_mask(network) if masked else {})
    product = hessian_product(network, data.batches(7), live, keep_bytes)
    found, expected = matrix(product, count(live)), exact_hessian(network, data, live)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10 * float(expected.abs().max()))


def test_only_the_named_parameters_count():
    network, data = rectified(), images()
    live = live_entries(network, some_mask(network), ["linear.weight", "twice.weight", "bn.bias"])
    assert list(live) == ["bn.bias", "twice.weight", "linear.weight"]
    found = matrix(hessian_product(network, data.batches(128), live), count(live))
    torch.testing.assert_close(found, exact_hessian(network, data, live), rtol=1e-9, atol=1e-11)


def test_what_is_kept_changes_no_byte():
    network, data = rectified().float(), images()
    live = live_entries(network, {})
    vector = torch.linspace(-1, 1, count(live))
    kept, some, none = (hessian_product(network, data.batches(8), live, n)(vector) for n in (2**30, 300_000, 0))
    assert torch.equal(kept, none)
    assert torch.equal(kept, some)
    assert kept.dtype == torch.float64


@given(st.integers(0, 2**32 - 1))
def test_products_are_symmetric(seed: int):
    u, v = torch.randn(2, count(LIVE), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    assert float(u @ PRODUCT(v)) == pytest.approx(float(v @ PRODUCT(u)), rel=1e-9, abs=1e-9)


LIVE = live_entries(rectified(), some_mask(rectified()))
PRODUCT = hessian_product(rectified(), images().batches(128), LIVE)


@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_left_as_it_was(training: bool):
    network = rectified().train(training)
    network.linear.bias.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    live = live_entries(network, {})
    assert "linear.bias" not in live
    product = hessian_product(network, images().batches(128), live)
    first = product(torch.ones(count(live)))
    assert network.training == training
    assert not network.linear.bias.requires_grad
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())
    with torch.no_grad():
        network.linear.weight.zero_()
    assert torch.equal(product(torch.ones(count(live))), first)  # of the network as it was at the time


def test_a_resnet_in_single_precision():
    network, data = initialise(Network(name="resnet8", width=2), 3, (2, 6, 6), seed=0).eval(), images(8)
    live = live_entries(network, {})
    v = torch.randn(count(live), generator=torch.Generator().manual_seed(3))
    exact = hessian_product(network.double(), data.batches(128), live)(v)
    found = hessian_product(network.float(), data.batches(128), live)(v)
    torch.testing.assert_close(found, exact, rtol=0, atol=1e-4 * float(exact.abs().max()))


@pytest.mark.parametrize("make", NETWORKS)
def test_ten_largest_eigenvalues_and_their_vectors(make: Callable[[], nn.Module]):
    network, data = make(), images()
    live = live_entries(network, some_mask(network))
    expected = torch.linalg.eigvalsh(exact_hessian(network, data, live)).flip(0)[:10].numpy()
    product = hessian_product(network.float(), data.batches(128), live)
    values, vectors = top_eigenpairs(product, count(live), 10)
    np.testing.assert_allclose(values, expected, rtol=1e-3)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(10), atol=1e-5)
    for value, vector in zip(values, vectors, strict=True):
        torch.testing.assert_close(product(vector), value * vector, rtol=0, atol=2e-4 * value)


def test_the_largest_are_the_largest_algebraically():
    values, _ = top_eigenpairs(times(-symmetric(50)), 50, 3, tolerance=1e-9)
    np.testing.assert_allclose(values, [8, *(-(np.linspace(-2, 3, 50)[1:3] ** 3))], rtol=1e-8)


@pytest.mark.parametrize("rank", [None, 2])
def test_eigenpairs_repeat_to_the_byte(rank: int | None):
    product = times(symmetric(50, rank))
    one, other = (top_eigenpairs(product, 50, 4, seed=1) for _ in range(2))
    assert one[0].tobytes() == other[0].tobytes()
    assert torch.equal(one[1], other[1])


def test_eigenvalues_that_do_not_converge():
    with pytest.raises(ValueError, match=r"k: only .* of the 6 largest .* 1e-13 within 1 restarts: ask for fewer"):
        top_eigenpairs(times(symmetric(300)), 300, 6, tolerance=1e-13, restarts=1)


def test_more_eigenvalues_than_there_are():
    with pytest.raises(ValueError, match="k: 5 eigenvalues of a Hessian of 5 live weights: must be from 1 to 4"):
        top_eigenpairs(times(symmetric(5)), 5, 5)


@pytest.mark.parametrize("make", NETWORKS)
def test_trace(make: Callable[[], nn.Module]):
    network, data = make(), images()
    live = live_entries(network, {})
    h = exact_hessian(network, data, live)
    mean, error = trace(hessian_product(network, data.batches(128), live), count(live), probes=200)
    assert mean == pytest.approx(float(h.trace()), abs=4 * error)
    deviation = np.sqrt(2 * float(h.square().sum() - h.diag().square().sum()))
    assert error == pytest.approx(deviation / np.sqrt(200), rel=0.3)


def test_one_probe_gives_the_trace_of_a_diagonal_matrix_and_no_error():
    mean, error = trace(lambda v: torch.arange(6) * v, 6, probes=1)
    assert mean == 15
    assert np.isnan(error)
