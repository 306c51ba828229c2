"""How often each weight of a layer takes part in the outputs for one input."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.evaluation import evaluation
from winnow.autograd.weight_calls import Geometry, WeightCalls


@torch.no_grad()
def weight_uses(network: nn.Module, inputs: Tensor) -> dict[str, int]:
    """For each trainable weight of a convolution or a linear layer that the network uses, by name: the number of
    positions at which each of its entries is multiplied, for one example. So a layer takes this number times its
    remaining weights of multiplications.

    inputs: [n, ...], as the network takes them. Evaluation mode is set for the time of the call. Raises ValueError,
    naming the layer, if a weight is used twice.
    """
    recorder = _Uses(len(inputs), network)
    with evaluation(network), recorder:
        network(inputs)
    return recorder.uses


class _Uses(WeightCalls):
    def __init__(self, examples: int, network: nn.Module) -> None:
        super().__init__(examples, network)
        self.uses: dict[str, int] = {}

    def conv2d(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        outputs = torch.conv2d(inputs, weight, bias, *geometry)
        self.uses[self.names[id(weight)]] = outputs.shape[2:].numel()
        return outputs

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        self.uses[self.names[id(weight)]] = inputs.shape[1:-1].numel()
        return functional.linear(inputs, weight, bias)
