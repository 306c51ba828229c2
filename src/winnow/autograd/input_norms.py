"""How large the inputs are that each weight of a layer meets."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.layer_records import Recorder, recorded
from winnow.autograd.weight_calls import Geometry


def input_squares(network: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """For each trainable weight of a convolution or a linear layer that the network uses, by name: the sum over the
    examples, and over all positions where the weight is applied, of the square of the input that it meets; in the
    weight's shape.

    inputs: [n, ...], as the network takes them. Evaluation mode is set for the time of the call. Raises ValueError,
    naming the layer, if a weight is used twice. Weights of other layers, such as norms, may not be trainable.
    """
    return recorded(_Squares, network, inputs)


class _Squares(Recorder):
    def conv2d(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        outputs = torch.conv2d(inputs, weight, bias, *geometry)
        stride, padding, dilation, groups = geometry
        # the gradient of a kernel is the sum of products of inputs and outputs' gradients: here squares, and ones
        ones = outputs.new_ones(len(outputs), groups, *outputs.shape[2:])
        kernel = weight[:groups]
        arguments: tuple[Any, ...] = (stride, padding, dilation, False, (0, 0), groups, (False, True, False))
        sums = torch.ops.aten.convolution_backward(ones, inputs.square(), kernel, None, *arguments)[1]
        self.keep(weight, sums.repeat_interleave(len(weight) // groups, 0))
        return outputs

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        self.keep(weight, inputs.square().flatten(0, -2).sum(0).expand_as(weight).clone())
        return functional.linear(inputs, weight, bias)
