import copy

import pytest
import torch
from torch import nn

from tests.landscape.tiny import images
from winnow.landscape.batch_norm import recalibrate_on
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.streams import torch_stream
from winnow.training.batches import normalise


def test_averages_of_batches_by_hand():
    network, data = nn.Sequential(nn.BatchNorm2d(2), nn.Dropout(), nn.Flatten(), nn.LazyBatchNorm1d()), images(23)
    network(normalise(data.pixels, data))
    network[0].weight.data.fill_(3.0)
    before = copy.deepcopy(network)
    recalibrate_on(network, data, batch_size=8)
    order = torch.randperm(23, generator=torch_stream(0, "statistics"))
    batches = [normalise(data.pixels[rows], data).double() for rows in (order[:8], order[8:16], order[16:])]
    means = torch.stack([b.mean((0, 2, 3)) for b in batches])
    variances = torch.stack([b.transpose(0, 1).flatten(1).var(1) for b in batches])
    torch.testing.assert_close(network[0].running_mean.double(), means.mean(0))
    torch.testing.assert_close(network[0].running_var.double(), variances.mean(0))
    # the second layer has what the first, normalising by each batch, makes of it
    for index, batch in enumerate(batches):
        deviation = (batch.transpose(0, 1).flatten(1).var(1, unbiased=False) + 1e-5).sqrt()
        batches[index] = ((batch - means[index, :, None, None]) / deviation[:, None, None] * 3).flatten(1)
    means, variances = (torch.stack([f(b) for b in batches]).mean(0) for f in (lambda b: b.mean(0), lambda b: b.var(0)))
    torch.testing.assert_close(network[3].running_mean.double(), means, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(network[3].running_var.double(), variances, rtol=1e-5, atol=1e-5)
    assert int(network[0].num_batches_tracked) == 3
    for (name, was), (_, now) in zip(before.named_parameters(), network.named_parameters(), strict=True):
        assert torch.equal(was, now), name


@pytest.mark.parametrize("training", [True, False])
def test_modes_and_momenta_are_left_as_they_were(training: bool):
    network = nn.Sequential(nn.BatchNorm2d(2, momentum=0.3), nn.Flatten(), nn.Dropout(), nn.Linear(72, 3))
    network.train(training)
    network[0].eval()
    recalibrate_on(network, images())
    assert [m.training for m in network.modules()] == [training, False, training, training, training]
    assert network[0].momentum == 0.3


def test_statistics_do_not_depend_on_those_before():
    network, data = initialise(Network(name="convnet", width=2), 3, (2, 6, 6), seed=0), images(30)
    other = copy.deepcopy(network)
    other(normalise(data.pixels, data) + 7)
    for each in (network, other):
        recalibrate_on(each, data)
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in other.state_dict().items())


def test_a_network_without_batch_norm_sees_no_image():
    network = nn.Sequential(nn.Flatten(), nn.Linear(1, 1))  # would take no such image
    recalibrate_on(network, images())
