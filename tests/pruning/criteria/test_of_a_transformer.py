"""Criteria on the small vision transformer: against single images, one after another, in double precision."""

from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from tests.pruning.criteria.given import by_hand
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.context import Context
from winnow.pruning.criteria.grasp import grasp
from winnow.pruning.criteria.hessian import hessian, signs
from winnow.pruning.criteria.obd import obd
from winnow.pruning.criteria.snip import snip
from winnow.pruning.criteria.sparsegpt import sparsegpt
from winnow.pruning.criteria.taylor import taylor
from winnow.pruning.criteria.wanda import wanda

CLASSES, SHAPE, COUNT = 3, (2, 14, 14), 4  # 49 patches of 2x2 pixels, and the class token
Weights = dict[str, Tensor]


def network() -> nn.Module:
    return initialise(Network(name="vit", width=16), CLASSES, SHAPE, 3)


def batch() -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(0)
    return torch.randn(COUNT, *SHAPE, generator=draws), torch.randint(CLASSES, (COUNT,), generator=draws)


def given() -> Context:
    return by_hand(network(), *batch(), F.cross_entropy)


def in_double() -> tuple[nn.Module, Weights]:
    """The network in double precision, and its prunable weights."""
    double = network().double().eval()
    return double, {name: double.get_parameter(name) for name in given().mask}


def single_losses(double: nn.Module, temperature: float = 1.0) -> Iterator[Tensor]:
    for image, label in zip(*batch(), strict=True):
        yield F.cross_entropy(double(image.double()[None]) / temperature, label[None])


def single_gradients() -> list[Weights]:
    double, weights = in_double()
    return [
        dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))
        for loss in single_losses(double)
    ]


def hessian_times(vector: Weights | None, temperature: float = 1.0) -> Weights:
    """The Hessian of the mean loss times a vector, or times the gradient."""
    double, weights = in_double()
    with sdpa_kernel(SDPBackend.MATH):  # the others have no second derivative
        loss = sum(single_losses(double, temperature)) / COUNT
        gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        by = [gradient.detach() for gradient in gradients] if vector is None else [vector[name] for name in weights]
        product = sum((gradient * other).sum() for gradient, other in zip(gradients, by, strict=True))
        return dict(zip(weights, torch.autograd.grad(product, list(weights.values())), strict=True))


def mean_gradient() -> Weights:
    every = single_gradients()
    return {name: sum(own[name] for own in every) / COUNT for name in every[0]}


def expected_obd() -> Weights:
    every = single_gradients()
    return {
        name: weight**2 / 2 * sum(own[name] ** 2 for own in every) / COUNT for name, weight in in_double()[1].items()
    }


def expected_taylor() -> Weights:
    return {name: (weight * mean_gradient()[name]) ** 2 for name, weight in in_double()[1].items()}


def expected_snip() -> Weights:
    return {name: (weight * mean_gradient()[name]).abs() for name, weight in in_double()[1].items()}


def expected_grasp() -> Weights:
    product = hessian_times(None, temperature=2.0)
    return {name: weight * product[name] for name, weight in in_double()[1].items()}


def expected_hessian() -> Weights:
    """With the criterion's own signs, of two probes."""
    vectors = [{name: vector.double() for name, vector in signs(given(), probe).items()} for probe in range(2)]
    products = [hessian_times(vector) for vector in vectors]
    weights = in_double()[1]
    entries = {name: sum(v[name] * h[name] for v, h in zip(vectors, products, strict=True)) / 2 for name in weights}
    return {name: weight**2 / 2 * entries[name].clamp_min(0) for name, weight in weights.items()}


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (lambda: obd(given()), expected_obd),
        (lambda: taylor(given()), expected_taylor),
        (lambda: snip(given()), expected_snip),
        (lambda: grasp(given(), temperature=2.0), expected_grasp),
        (lambda: hessian(given(), probes=2, group="weight"), expected_hessian),
    ],
    ids=["obd", "taylor", "snip", "grasp", "hessian"],
)
def test_criteria_of_gradients(score: Callable[[], Weights], expected: Callable[[], Weights]) -> None:
    found, by_single_images = score(), expected()
    assert set(found) == set(by_single_images)
    assert len(found) == 6 * 4 + 2  # of every layer two of the attention and two of the MLP; patches and classes
    for name, layer in by_single_images.items():
        most = float(layer.detach().abs().max())
        torch.testing.assert_close(found[name].double(), layer.detach(), rtol=1e-3, atol=1e-4 * most)


def inputs_of_layers() -> Weights:
    """By weight, what each of its rows is multiplied by, [positions of all images, inputs], image by image: through the
    layers as the paper of the transformer writes them down (Dosovitskiy et al. 2021, eq. 1 to 4)."""
    double, _ = in_double()
    met: dict[str, list[Tensor]] = {}
    for image in batch()[0].double():
        patches = F.unfold(image[None], 2, stride=2)[0].T
        met.setdefault("conv_proj.weight", []).append(patches)
        tokens = patches @ double.conv_proj.weight.flatten(1).T + double.conv_proj.bias
        x = torch.cat([double.class_token[0], tokens]) + double.encoder.pos_embedding[0]
        for number, layer in enumerate(double.encoder.layers):
            prefix = f"encoder.layers.encoder_layer_{number}"
            attention, normed = layer.self_attention, layer.ln_1(x)
            q, k, v = (normed @ attention.in_proj_weight.T + attention.in_proj_bias).chunk(3, dim=1)
            mixed = ((q @ k.T) / q.shape[1] ** 0.5).softmax(1) @ v  # one head of 16 features
            x = x + attention.out_proj(mixed)
            first, hidden = layer.mlp[0], layer.ln_2(x)
            middle = F.gelu(first(hidden))
            x = x + layer.mlp[3](middle)
            for name, rows in (("self_attention.in_proj_weight", normed), ("self_attention.out_proj.weight", mixed),
                               ("mlp.0.weight", hidden), ("mlp.3.weight", middle)):  # fmt: skip
                met.setdefault(f"{prefix}.{name}", []).append(rows)
        last = double.encoder.ln(x)[:1]
        met.setdefault("heads.head.weight", []).append(last)
        torch.testing.assert_close(double.heads.head(last), double(image[None]))  # the same network
    return {name: torch.cat(rows).detach() for name, rows in met.items()}


def test_criteria_of_the_inputs_of_layers() -> None:
    """Wanda: the size of a weight times the norm of its input. SparseGPT: its square over that of the diagonal entry of
    the Cholesky factor."""
    by_norm, by_factor = wanda(given(), compare="layer"), sparsegpt(given(), damping=0.01)
    inputs, weights = inputs_of_layers(), in_double()[1]
    assert set(by_norm) == set(by_factor) == set(inputs) == set(weights)
    for name, rows in inputs.items():
        weight = weights[name].detach().flatten(1)
        expected = (weight.abs() * rows.norm(dim=0)).reshape(by_norm[name].shape)
        # Wanda takes the mean over images in place of the sum
        torch.testing.assert_close(by_norm[name].double() * COUNT**0.5, expected, rtol=1e-3, atol=1e-6)
        gram = 2 * rows.T @ rows
        damped = gram + 0.01 * gram.diagonal().mean() * torch.eye(len(gram), dtype=torch.float64)
        factor = torch.linalg.cholesky(torch.linalg.inv(damped), upper=True)
        expected = ((weight / factor.diagonal()) ** 2).reshape(by_factor[name].shape)
        # here too the mean over images
        torch.testing.assert_close(by_factor[name].double() * COUNT, expected, rtol=1e-3, atol=1e-6)
