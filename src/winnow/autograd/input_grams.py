"""The Gram matrix of what a layer's weights meet: of the columns that its matrix of weights is multiplied by."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.layer_records import Recorder, recorded
from winnow.autograd.weight_calls import Geometry


def input_grams(network: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """For each trainable weight of a two-dimensional convolution or a linear layer that the network uses, by name: the
    sum of x x' over the examples and over all positions where the weight is applied, [groups, d, d]. x is what one
    output's weights [d] meet at one position, in the order of the flat weights; padding counts as zeros. A linear layer
    has one group.

    inputs: [n, ...], as the network takes them. Evaluation mode is set for the time of the call. Raises ValueError,
    naming the layer, if a weight is used twice.
    """
    return recorded(_Grams, network, inputs)


class _Grams(Recorder):
    def conv2d(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        stride, padding, dilation, groups = geometry
        sums = inputs.new_zeros(groups, weight[0].numel(), weight[0].numel())
        for some in inputs.split(32):  # the columns take kernel size times the memory of the inputs
            columns = functional.unfold(some, weight.shape[2:], dilation, padding, stride)
            of_group = columns.unflatten(1, (groups, -1)).permute(1, 2, 0, 3).flatten(2)
            sums += of_group @ of_group.mT
        self.keep(weight, sums)
        return torch.conv2d(inputs, weight, bias, *geometry)

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        rows = inputs.flatten(0, -2)
        self.keep(weight, (rows.T @ rows)[None])
        return functional.linear(inputs, weight, bias)
