"""How far a layer's outputs spread over the examples, against the inputs that they are computed from."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.layer_records import Recorder, recorded
from winnow.autograd.weight_calls import Geometry

SAME = 1e-9  # inputs whose variance is a smaller part of their mean square than this are constant but for rounding


def relative_spreads(network: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """For each trainable weight of a convolution or a linear layer that the network uses, by name: float [outputs], the
    mean over positions of the standard deviation of the output over the examples, divided by the standard deviation of
    all inputs that are multiplied there: those of all examples, channels and places of the kernel. Padding counts as
    zeros. A position whose inputs are all the same counts as 0.

    inputs: [n, ...], as the network takes them. Evaluation mode is set for the time of the call. Raises ValueError,
    naming the layer, if a weight is used twice. Weights of other layers, such as norms, may not be trainable.
    """
    return recorded(_Spreads, network, inputs)


class _Spreads(Recorder):
    def conv2d(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        outputs = torch.conv2d(inputs, weight, bias, *geometry)
        stride, padding, dilation, groups = geometry
        window = inputs.new_ones(groups, 1, *weight.shape[2:], dtype=torch.float64)

        def mean(values: Tensor) -> Tensor:  # over examples, channels and window: [groups, 1, rows, columns]
            means = values.unflatten(1, (groups, -1)).mean((0, 2))[None]
            return torch.conv2d(means, window, None, stride, padding, dilation, groups)[0, :, None] / window[0].numel()

        deviations = outputs.double().std(0, correction=0).unflatten(0, (groups, -1))
        found = _against(deviations, mean(inputs.double()), mean(inputs.double().square()))
        self.keep(weight, found.mean((2, 3)).flatten().to(weight.dtype))
        return outputs

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        outputs = functional.linear(inputs, weight, bias)
        given = inputs.double()
        deviations = outputs.double().std(0, correction=0)
        found = _against(deviations, given.mean((0, -1))[..., None], given.square().mean((0, -1))[..., None])
        self.keep(weight, found.reshape(-1, len(weight)).mean(0).to(weight.dtype))
        return outputs


def _against(deviations: Tensor, mean: Tensor, square: Tensor) -> Tensor:
    """Standard deviations of outputs over those of their inputs; 0 if the inputs do not vary. mean, square: the mean of
    the inputs, and that of their squares."""
    variance = square - mean.square()
    return torch.where(variance > SAME * square, deviations / variance.clamp_min(1e-300).sqrt(), 0)
