"""How far a layer's outputs spread over the examples, against the inputs that they are computed from."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.evaluation import evaluation
from winnow.autograd.weight_calls import Geometry, WeightCalls

SAME = 1e-9  # inputs whose variance is a smaller part of their mean square than this are constant but for rounding


@torch.no_grad()
def relative_spreads(network: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """For each trainable weight of a convolution or a linear layer that the network uses, by name: float [outputs], the
    mean over positions of the standard deviation of the output over the examples, divided by the standard deviation of
    all inputs that are multiplied there: those of all examples, channels and places of the kernel. Padding counts as
    zeros. A position whose inputs are all the same counts as 0.

    inputs: [n, ...], as the network takes them. Evaluation mode is set for the time of the call. Raises ValueError,
    naming the layer, if a weight is used twice. Weights of other layers, such as norms, may not be trainable.
    """
    recorder = _Spreads(len(inputs), network)
    with evaluation(network), recorder:
        network(inputs)
    return recorder.spreads


class _Spreads(WeightCalls):
    def __init__(self, examples: int, network: nn.Module) -> None:
        super().__init__(examples, network)
        self.spreads: dict[str, Tensor] = {}

    def conv2d(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        outputs = torch.conv2d(inputs, weight, bias, *geometry)
        stride, padding, dilation, groups = geometry
        window = inputs.new_ones(groups, 1, *weight.shape[2:], dtype=torch.float64)

        def mean(values: Tensor) -> Tensor:  # over examples, channels and window: [groups, 1, rows, columns]
            means = values.unflatten(1, (groups, -1)).mean((0, 2))[None]
            return torch.conv2d(means, window, None, stride, padding, dilation, groups)[0, :, None] / window[0].numel()

        deviations = outputs.double().std(0, correction=0).unflatten(0, (groups, -1))
        found = _against(deviations, mean(inputs.double()), mean(inputs.double().square()))
        self.spreads[self.names[id(weight)]] = found.mean((2, 3)).flatten().to(weight.dtype)
        return outputs

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        outputs = functional.linear(inputs, weight, bias)
        given = inputs.double()
        deviations = outputs.double().std(0, correction=0)
        found = _against(deviations, given.mean((0, -1))[..., None], given.square().mean((0, -1))[..., None])
        self.spreads[self.names[id(weight)]] = found.reshape(-1, len(weight)).mean(0).to(weight.dtype)
        return outputs


def _against(deviations: Tensor, mean: Tensor, square: Tensor) -> Tensor:
    """Deviations divided by those of inputs with this mean and this mean of squares; 0 if the inputs do not vary."""
    variance = square - mean.square()
    return torch.where(variance > SAME * square, deviations / variance.clamp_min(1e-300).sqrt(), 0)
