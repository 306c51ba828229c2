"""Bias correction: by hand, against a naive loop in numpy, and what it leaves alone."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.pruning.masked import Attention
from winnow.pruning.bias_correction import correct_biases, mean_outputs


def test_one_layer_by_hand():
    """Of inputs with means 2 and 3 the second is cut, with weight 5: the bias grows by 15."""
    network = nn.Linear(2, 1)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[4.0, 5]]))
        network.bias.fill_(1)
    batches = [(torch.tensor([[1.0, 2]]), torch.tensor([0])), (torch.tensor([[2.0, 3], [3, 4]]), torch.tensor([0, 0]))]
    before = mean_outputs(network, lambda: batches)
    assert before[""].tolist() == [24]
    with torch.no_grad():
        network.weight[0, 1] = 0
    correct_biases(network, before, lambda: batches)
    assert network.bias.item() == 16


class Small(nn.Module):
    """A convolution with a bias and one without, batch norm, and two linear layers, registered in another order."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.hidden = nn.Linear(5, 3), nn.Linear(4, 5)
        self.plain, self.norm, self.conv = nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Conv2d(2, 3, 3)

    def forward(self, images: Tensor) -> Tensor:
        found = functional.relu(self.norm(self.plain(functional.relu(self.conv(images)))))
        return self.last(functional.relu(self.hidden(found.mean((2, 3)))))


def test_layers_are_corrected_one_after_another_and_nothing_else_changes():
    torch.manual_seed(0)
    network = Small().double()
    images = torch.randn(12, 2, 8, 8).double()
    batches = [(part, torch.zeros(len(part), dtype=torch.long)) for part in images.split(5)]
    before = mean_outputs(network, lambda: batches)
    assert list(before) == ["conv", "hidden", "last"]
    with torch.no_grad():
        convolved = functional.conv2d(images, network.conv.weight, network.conv.bias)
        np.testing.assert_allclose(before["conv"], convolved.mean((0, 2, 3)))
        for layer in (network.conv, network.plain, network.hidden, network.last):
            layer.weight.masked_fill_(torch.rand(layer.weight.shape) < 0.5, 0)
    pruned = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    correct_biases(network.train(), before, lambda: batches)
    assert network.training
    with torch.no_grad():  # each in turn, on the outputs of the layers before it
        found = functional.conv2d(images, pruned["conv.weight"])
        bias = before["conv"] - found.mean((0, 2, 3))
        np.testing.assert_allclose(network.conv.bias.detach(), bias, rtol=1e-9)
        found = functional.conv2d(functional.relu(found + bias[:, None, None]), pruned["plain.weight"])
        found = functional.relu(network.norm.eval()(found)).mean((2, 3)) @ pruned["hidden.weight"].T
        bias = before["hidden"] - found.mean(0)
        np.testing.assert_allclose(network.hidden.bias.detach(), bias, rtol=1e-9)
        found = functional.relu(found + bias) @ pruned["last.weight"].T
        np.testing.assert_allclose(network.last.bias.detach(), before["last"] - found.mean(0), rtol=1e-9)
    others = {name for name, tensor in network.state_dict().items() if torch.equal(tensor, pruned[name])}
    assert pruned.keys() - others == {"conv.bias", "hidden.bias", "last.bias"}


def test_tokens_count_as_positions_and_what_is_not_called_is_left_out():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), Attention())
    network[1].conv = nn.Conv2d(2, 4, 3)
    inputs = torch.randn(6, 2, 6, 3)
    network[0] = nn.Linear(3, 6)
    found = mean_outputs(network, lambda: [(inputs, torch.zeros(6, dtype=torch.long))])
    assert list(found) == ["0", "1.conv", "1.linear"]
    np.testing.assert_allclose(found["0"], network[0](inputs).detach().mean((0, 1, 2)), rtol=1e-5, atol=1e-7)
