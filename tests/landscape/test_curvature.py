"""The curvature at a ticket's file against the whole Hessian of a tiny network."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.landscape.tiny import CLASSES, SHAPE, exact_hessian, images
from tests.pruning.masked import cut_smallest
from tests.training.small import on_device, pictures
from winnow.landscape.batch_norm import recalibrate_on
from winnow.landscape.curvature import Effort, curvature
from winnow.landscape.hessian import hessian_product
from winnow.landscape.limit import Spectrum, largest_cut
from winnow.landscape.live import count, live_entries
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.masks import ones
from winnow.tickets.files import load_ticket, save_ticket
from winnow.training.batches import DeviceImages, normalise

NETWORK = Network(name="convnet", width=1)
DATA = images(30)
OPTIONS = Effort(eigenvalues=3, probes=2, lanczos_steps=200, loss_rise=0.1)  # steps for the whole space


@pytest.fixture(scope="module")
def ticket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a network with biases and batch norm, and of whose prunable weights half are left."""
    network = initialise(NETWORK, CLASSES, SHAPE, 0)
    network(normalise(DATA.pixels, DATA))
    mask = cut_smallest(network.state_dict(), ones(network), 0.5)
    path = tmp_path_factory.mktemp("ticket") / "ticket.safetensors"
    about = {"network": NETWORK.model_dump(), "classes": CLASSES, "shape": list(SHAPE)}
    save_ticket(path, network.state_dict(), mask, about)
    return path


def at(path: Path, images: DeviceImages, options: Effort) -> dict[str, np.ndarray]:
    ticket = load_ticket(path)
    return curvature(ticket.network, ticket.mask, images, options)


@pytest.fixture(scope="module")
def found(ticket: Path) -> dict[str, np.ndarray]:
    return at(ticket, DATA, OPTIONS)


@pytest.fixture(scope="module")
def exact(ticket: Path) -> torch.Tensor:
    """The Hessian over the weights left, in double precision."""
    loaded = load_ticket(ticket)
    return exact_hessian(loaded.network.double(), DATA, live_entries(loaded.network, loaded.mask))


def test_the_size_counts_the_weights_left_and_what_no_mask_touches(ticket: Path, found: dict[str, np.ndarray]):
    loaded = load_ticket(ticket)
    others = sum(weight.numel() for name, weight in loaded.network.named_parameters() if name not in loaded.mask)
    assert others > 0
    assert found["size"].tolist() == [loaded.about["weights_left"] + others]


def test_eigenvalues_and_eigenvectors(exact: torch.Tensor, found: dict[str, np.ndarray]):
    values = torch.linalg.eigvalsh(exact).flip(0).numpy()
    np.testing.assert_allclose(found["eigenvalues"], values[:3], rtol=1e-3)
    vectors = torch.from_numpy(found["eigenvectors"]).double()
    assert found["eigenvectors"].dtype == np.float32
    scaled = torch.from_numpy(found["eigenvalues"])[:, None] * vectors
    torch.testing.assert_close(vectors @ exact, scaled, rtol=0, atol=2e-3 * values[0])


def test_the_quadrature_is_over_the_other_eigenvalues(exact: torch.Tensor, found: dict[str, np.ndarray]):
    """Every step of Lanczos' method that there is: the nodes lie among the eigenvalues but the largest."""
    rest = torch.linalg.eigvalsh(exact).flip(0)[3:].numpy()
    assert found["nodes"].shape == found["weights"].shape == (2, 200)
    np.testing.assert_allclose(found["weights"].sum(axis=1), 1)
    assert found["nodes"].max() < rest[0] * 1.01
    assert found["nodes"].min() > rest[-1] - 0.01 * abs(rest[-1])


def test_the_trace(exact: torch.Tensor, found: dict[str, np.ndarray]):
    estimate, error = found["trace"]
    deviation = float(np.sqrt(2 * float(exact.square().sum() - exact.diag().square().sum()) / 2))
    assert estimate == pytest.approx(float(exact.trace()), abs=4 * deviation)
    assert error > 0


def test_the_predicted_cut_is_that_of_the_spectrum(ticket: Path, found: dict[str, np.ndarray]):
    loaded = load_ticket(ticket)
    left = [loaded.state_dict()[name][layer].numpy() for name, layer in loaded.mask.items()]
    magnitudes = np.abs(np.concatenate(left))
    assert len(magnitudes) == loaded.about["weights_left"]
    spectrum = Spectrum(int(found["size"][0]), found["eigenvalues"], found["nodes"], found["weights"])
    by_size, flat = (largest_cut(magnitudes, OPTIONS.loss_rise, spectrum, flat) for flat in (False, True))
    assert found["predicted"].tolist() == [by_size, flat]
    assert 0 < by_size < flat <= 1


def test_a_subset_is_a_copy_of_its_images(ticket: Path, monkeypatch: pytest.MonkeyPatch):
    """Products of the Hessian and statistics of batch norm, on images that are rows among others: on a CPU."""
    monkeypatch.setenv("WINNOW_DEVICE", "cpu")
    every, rows = pictures(60), np.array([3, 50, 4, 20, 21, 59, 7, 8])
    taken, copied = every.take(rows), every.take(rows)
    copied = type(copied)(copied.pixels[:], copied.labels, copied.ids, copied.positions)
    one, other = on_device(taken), on_device(copied)
    assert one.rows is not None
    assert other.rows is None
    networks = [load_ticket(ticket).network for _ in range(2)]
    products = []
    for network, data in zip(networks, (one, other), strict=True):
        recalibrate_on(network, data, batch_size=3)
        live = live_entries(network, {})
        products.append(hessian_product(network, data.batches(3), live)(torch.linspace(-1, 1, count(live))))
    states = [network.state_dict() for network in networks]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert torch.equal(*products)
