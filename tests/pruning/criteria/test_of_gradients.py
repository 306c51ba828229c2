"""Criteria of gradients and of second derivatives: against cases by hand, plain autograd and a dense Hessian."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.pruning.criteria.given import (
    IMAGES,
    by_hand,
    context,
    half_square,
    in_double,
    random_mask,
    trained_like,
    two_layers,
)
from tests.training.small import CLASSES
from winnow.pruning.context import batches_of
from winnow.pruning.criteria.grasp import grasp
from winnow.pruning.criteria.magnitude import magnitude
from winnow.pruning.criteria.obd import obd
from winnow.pruning.criteria.snip import snip
from winnow.pruning.criteria.synflow import synflow
from winnow.pruning.criteria.taylor import taylor
from winnow.pruning.criteria.woodfisher import woodfisher


def test_taylor_by_hand():
    scores = taylor(by_hand(two_layers(), torch.ones(1, 2), torch.zeros(1), half_square), batches=2, batch_size=1)
    assert scores["0.weight"].tolist() == [[121, 484], [16.5**2, 2.75**2]]
    assert scores["1.weight"].tolist() == [[121, 19.25**2]]


def test_taylor_is_the_mean_of_squares_over_batches_in_evaluation_mode():
    network = trained_like()
    scores = taylor(context(network), batches=3, batch_size=8)
    plain = trained_like().eval().double()
    expected = {name: torch.zeros_like(plain.get_parameter(name)) for name in scores}
    for inputs, labels in batches_of(IMAGES, 0)(3, 8):
        plain.zero_grad()
        F.cross_entropy(plain(inputs.double()), labels).backward()
        for name in scores:
            weight = plain.get_parameter(name)
            expected[name] += (weight * weight.grad).detach() ** 2 / 3
    for name, found in scores.items():
        torch.testing.assert_close(found.double(), expected[name], rtol=1e-3, atol=1e-9)


def test_taylor_is_exact_for_a_loss_that_is_linear_in_the_weights():
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 1, bias=False))
    inputs = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    network[1].weight.data.copy_(torch.tensor([[0.5, -0.25, 1.0, -2.0]]))
    given = by_hand(network, inputs, torch.zeros(5), lambda outputs, _: outputs.mean())
    scores = taylor(given, batch_size=5)["1.weight"][0]
    with torch.no_grad():
        for place in range(4):
            changed = network[1].weight.clone()
            changed[0, place] = 0
            drop = (F.linear(inputs, network[1].weight) - F.linear(inputs, changed)).mean()
            assert float(scores[place]) == pytest.approx(float(drop) ** 2, rel=1e-4)


def test_grasp_by_hand():
    """w = (2, -1), x = (1, 3), half of (w x)^2: H g = (-10, -30), and S = (20, -30), whose 20 is cut first."""
    network = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[2.0, -1.0]]))
    given = by_hand(network, torch.tensor([[1.0, 3.0]]), torch.zeros(1), half_square)
    assert grasp(given, batches=2, batch_size=1, temperature=1.0)["weight"].tolist() == [[-20, 30]]
    assert grasp(given, batch_size=1, temperature=1.0, absolute=True)["weight"].tolist() == [[20, 30]]


@pytest.mark.parametrize("temperature", [1.0, 200.0])
def test_grasp_is_that_of_the_dense_hessian_over_the_remaining_weights(temperature):
    """Two batches in training mode: the loss of both as a function of the remaining weights, in double precision."""
    norm = nn.BatchNorm2d(3, track_running_stats=False)
    network = nn.Sequential(nn.Conv2d(2, 3, 3), norm, nn.Tanh(), nn.Flatten(), nn.Linear(48, CLASSES))
    mask = random_mask(network, 0.3)
    given = context(network, mask=mask)
    scores = grasp(given, batches=2, batch_size=9, temperature=temperature)

    double = nn.Sequential(*network).cpu().double().train()
    names = list(mask)
    rows = in_double(2, 9)

    def loss(live: Tensor) -> Tensor:
        parts = live.split([int(mask[name].sum()) for name in names])
        state = {name: torch.zeros(mask[name].shape).double() for name in names}
        placed = {name: state[name].masked_scatter(mask[name], part) for name, part in zip(names, parts, strict=True)}
        every = dict(double.state_dict()) | placed
        logits = [torch.func.functional_call(double, every, (inputs,)) for inputs, _ in rows]
        return sum(F.cross_entropy(z / temperature, y) for z, (_, y) in zip(logits, rows, strict=True)) / 2

    live = torch.cat([double.get_parameter(name).detach()[mask[name]] for name in names])
    gradient = torch.func.grad(loss)(live)
    expected = live * (torch.autograd.functional.hessian(loss, live) @ gradient)
    found = torch.cat([scores[name].cpu()[mask[name]] for name in names]).double()
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=2e-5 * float(expected.abs().max()))


# What they are for functions that stay the same


def rescaled(network: nn.Module) -> nn.Module:
    """The same function: one layer times 8, the next through 8."""
    with torch.no_grad():
        network[0].weight.mul_(8)
        network[0].bias.mul_(8)
        network[2].weight.div_(8)
    return network


SAME = {
    "snip": partial(snip, batch_size=80),
    "taylor": partial(taylor, batch_size=80),
    "synflow": synflow,
    "obd": partial(obd, batch_size=80),
    "woodfisher": partial(woodfisher, batches=1, batch_size=80, block=6, damping=1e-10),
}
OTHER = {
    "grasp": partial(grasp, batch_size=80),
    "magnitude": magnitude,
    "damped woodfisher": partial(woodfisher, batches=1, batch_size=80, block=6, damping=1.0),
}


@pytest.mark.parametrize("name", [*SAME, *OTHER])
def test_rescaling_changes_some_criteria_and_not_the_others(name):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, CLASSES)).double()
    given = by_hand(network, torch.randn(80, 6).double(), torch.randint(CLASSES, (80,)), F.cross_entropy)
    criterion = (SAME | OTHER)[name]
    before = criterion(given)
    rescaled(network)
    after = criterion(given)
    close = [torch.allclose(scores, after[layer], rtol=1e-4, atol=0) for layer, scores in before.items()]
    assert close == [name in SAME] * 2


def test_what_flows_into_a_unit_flows_out_of_it():
    """In a rectified network without biases, the weights into a unit and out of it have the same sum of signed w g, and
    of SynFlow's scores. So have all layers."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, bias=False), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(16, 5, bias=False), nn.ReLU(), nn.Linear(5, CLASSES, bias=False),
    ).double()  # fmt: skip
    inputs, labels = torch.randn(20, 2, 6, 6).double(), torch.randint(CLASSES, (20,))
    given = by_hand(network, inputs, labels, F.cross_entropy)
    signed = {name: given.weights[name] * gradient for name, gradient in given.gradients(1, 20).items()}
    for name, scores in snip(given, batch_size=20).items():
        torch.testing.assert_close(scores, signed[name].abs())
    for scores in (signed, synflow(given)):
        conv, middle, last = (scores[name] for name in ("0.weight", "4.weight", "6.weight"))
        torch.testing.assert_close(conv.sum((1, 2, 3)), middle.view(5, 4, 4).sum((0, 2)))  # four places of a channel
        torch.testing.assert_close(middle.sum(1), last.sum(0))
        assert float(conv.sum()) == pytest.approx(float(middle.sum())) == pytest.approx(float(last.sum()))
        assert float(conv.sum().abs()) > 1e-3
