"""What a weight is worth: against cases by hand and plain autograd."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.training.small import CLASSES, initialised, on_device, pictures
from winnow.pruning.context import Context, batches_of
from winnow.pruning.criteria.magnitude import magnitude
from winnow.pruning.criteria.snip import snip
from winnow.pruning.masks import count_left, layer_counts, ones
from winnow.pruning.prune import prune
from winnow.training.batches import normalise

IMAGES = on_device(pictures())


def context(network: nn.Module, seed: int = 0) -> Context:
    return Context(network.to(IMAGES.device), ones(network), batches_of(IMAGES, seed), seed)


def test_snip_by_hand():
    """Two linear layers, x = (1, 1), half the squared output as the loss: its gradient is worked out on paper."""
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, -2.0], [3.0, 0.5]]))
        network[1].weight.copy_(torch.tensor([[2.0, -1.0]]))
    given = Context(
        network,
        ones(network),
        lambda count, size: [(torch.ones(1, 2), torch.zeros(1))] * count,
        loss=lambda outputs, _labels: outputs.square().sum() / 2,
    )
    scores = snip(given, batches=2, batch_size=1)
    assert scores["0.weight"].tolist() == [[11, 22], [16.5, 2.75]]
    assert scores["1.weight"].tolist() == [[11, 19.25]]
    gradients = given.gradients(2, 1)  # with their signs the products sum to the squared output in each layer
    assert [float((given.weights[name] * gradients[name]).sum()) for name in scores] == [30.25, 30.25]
    assert prune(scores, given.mask, 2)["0.weight"].tolist() == [[False, True], [False, False]]
    assert magnitude(given)["0.weight"].tolist() == [[1, 2], [3, 0.5]]


def test_snip_against_plain_autograd():
    """In training mode, the mean over the batches; the network and torch's generator stay as they are."""
    network = initialised(3)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.manual_seed(5)
    state = torch.get_rng_state()
    scores = snip(context(network), batches=3, batch_size=8)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())

    rows = [labels_of(batch) for batch in batches_of(IMAGES, 0)(3, 8)]
    plain = initialised(3).train().double()
    losses = [F.cross_entropy(plain(inputs.double()), labels) for inputs, labels in rows]
    (sum(losses) / 3).backward()
    for name, found in scores.items():
        parameter = plain.get_parameter(name)
        torch.testing.assert_close(found.double(), (parameter * parameter.grad).abs(), rtol=1e-4, atol=1e-7)


def labels_of(batch: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch, if its images are of our set, each once, and have their own labels."""
    inputs, labels = batch
    every = normalise(IMAGES.pixels, IMAGES)
    for image, label in zip(inputs, labels, strict=True):
        [place] = [i for i, other in enumerate(every) if torch.equal(image, other)]
        assert IMAGES.labels[place] == label
    return batch


def test_the_batches_are_those_of_the_seed():
    network = initialised(3)
    one, same, other = (snip(context(network, seed), batch_size=8) for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_more_images_than_there_are_is_told():
    network = initialised(3)
    with pytest.raises(ValueError, match=r"^batch_size: 2 x 22 images, but there are only 43"):
        snip(context(network), batches=2, batch_size=22)


def test_a_weight_without_a_gradient_goes_first():
    """A unit that is dead on all images is worth nothing."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(72, 4), nn.ReLU(), nn.Linear(4, CLASSES))
    with torch.no_grad():
        network[1].bias[2] = -math.inf
    found = context(network)
    scores = snip(found, batch_size=40)
    mask = prune(scores, found.mask, count_left(found.mask) - 72 - CLASSES)
    assert not mask["1.weight"][2].any()
    assert layer_counts(mask) == {"1.weight": 3 * 72, "3.weight": 3 * CLASSES}
