"""Layer-wise relevance propagation (Bach et al. 2015, "On pixel-wise explanations for non-linear classifier decisions
by layer-wise relevance propagation"), by replacing the backward pass of some layers.

What flows backward is relevance divided by activation. So the ordinary backward pass already is the rule of everything
else: a sum passes relevance on in proportion to its terms, a rectifier as it is, a maximum to the winner.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.evaluation import evaluation
from winnow.autograd.weight_calls import Geometry, WeightCalls

Take = Callable[[Tensor], None]


def weight_relevance(network: nn.Module, inputs: Tensor, labels: Tensor, epsilon: float = 1e-6) -> dict[str, Tensor]:
    """For each weight of a convolution or a linear layer that the network uses and that is trainable, by name: the sum
    of the size of the relevance that passes through it, over all images and, in a convolution, over all positions; in
    the weight's shape.

    inputs: [n, ...], as the network takes them; the relevance begins as the logit of each image's label, labels [n].
    Linear layers follow the epsilon rule (Bach et al. 2015, eq. 58): a bias takes its share of the relevance and passes
    it to no input. Convolutions follow the z+ rule: only positive products of input and weight take part (eq. 60 with
    alpha 1 and beta 0). Batch
    norm passes relevance on as it is. Layer norm, attention's softmax and all else follow the gradient.

    Evaluation mode is set for the time of the call. Raises ValueError, naming the layer, if a weight is used twice.
    """
    recorder = _Recorder(len(inputs), network, epsilon)
    given = inputs.detach().requires_grad_(True)
    with evaluation(network), torch.enable_grad():
        with recorder:
            logits = network(given)
        torch.autograd.grad(logits.gather(1, labels[:, None]).sum(), given)
    return recorder.found


class _Recorder(WeightCalls):
    def __init__(self, examples: int, network: nn.Module, epsilon: float) -> None:
        super().__init__(examples, network)
        self.epsilon = epsilon
        self.found: dict[str, Tensor] = {}

    def conv2d(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        given = (weight.detach(), None if bias is None else bias.detach(), geometry)
        output: Tensor = _Positive.apply(inputs, *given, self.epsilon, self._take(weight))
        return output

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        given = (weight.detach(), None if bias is None else bias.detach())
        output: Tensor = _Epsilon.apply(inputs, *given, self.epsilon, self._take(weight))
        return output

    def batch_norm(self, inputs: Tensor, mean: Tensor, rstd: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        shape = (-1,) + (1,) * (inputs.dim() - 2)
        scale = (rstd * weight.detach()).view(shape)
        shift = (bias.detach() - mean * rstd * weight.detach()).view(shape)
        output: Tensor = _Unchanged.apply(inputs, scale, shift, self.epsilon)
        return output

    def copies(self, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
        return weight.detach().expand(self.examples, *shape)

    def _take(self, weight: Tensor) -> Take:
        name = self.names[id(weight)]

        def take(found: Tensor) -> None:
            self.found[name] = found

        return take


def _away_from_zero(values: Tensor, epsilon: float) -> Tensor:
    return values + torch.where(values < 0, -epsilon, epsilon)


# The outputs are computed again in the backward pass: what follows a layer may have changed them in place.


class _Epsilon(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None, epsilon: float, take: Take) -> Tensor:
        ctx.save_for_backward(inputs)
        ctx.layer, ctx.epsilon, ctx.take = (weight, bias), epsilon, take
        return functional.linear(inputs, weight, bias)

    @staticmethod
    def backward(ctx: Any, ratio: Tensor) -> tuple[Tensor | None, ...]:
        (inputs,), (weight, bias) = ctx.saved_tensors, ctx.layer
        outputs = functional.linear(inputs, weight, bias)
        ratio = outputs * ratio / _away_from_zero(outputs, ctx.epsilon)
        ctx.take(weight.abs() * (ratio.abs().flatten(0, -2).T @ inputs.abs().flatten(0, -2)))
        return ratio @ weight, None, None, None, None


class _Positive(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        geometry: Geometry,
        epsilon: float,
        take: Take,
    ) -> Tensor:
        ctx.save_for_backward(inputs)
        ctx.layer, ctx.epsilon, ctx.take = (weight, bias, geometry), epsilon, take
        return torch.conv2d(inputs, weight, bias, *geometry)

    @staticmethod
    def backward(ctx: Any, ratio: Tensor) -> tuple[Tensor | None, ...]:
        (inputs,), (weight, bias, geometry) = ctx.saved_tensors, ctx.layer
        parts = [(inputs.clamp(min=0), weight.clamp(min=0))]
        if bool((inputs < 0).any()):  # such as pixels
            parts.append((inputs.clamp(max=0), weight.clamp(max=0)))
        positive = sum(torch.conv2d(values, kernel, None, *geometry) for values, kernel in parts)
        if bias is not None:
            positive = positive + bias.clamp(min=0).view(-1, 1, 1)
        ratio = torch.conv2d(inputs, weight, bias, *geometry) * ratio / (positive + ctx.epsilon)
        found = [_backward(ratio, values, kernel, geometry, (True, False)) for values, kernel in parts]
        sizes = [_backward(ratio.abs(), values, kernel, geometry, (False, True)) for values, kernel in parts]
        ctx.take(sum(of * kernel for (_, of), (_, kernel) in zip(sizes, parts, strict=True)))
        of_inputs = torch.where(inputs < 0, found[-1][0], found[0][0])
        return of_inputs, None, None, None, None, None


def _backward(
    gradient: Tensor, inputs: Tensor, weight: Tensor, geometry: Geometry, wanted: tuple[bool, bool]
) -> tuple[Tensor, Tensor]:
    stride, padding, dilation, groups = geometry
    arguments = (stride, padding, dilation, False, (0, 0), groups, (*wanted, False))
    of_inputs, of_weight, _ = torch.ops.aten.convolution_backward(gradient, inputs, weight, None, *arguments)
    return of_inputs, of_weight


class _Unchanged(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, scale: Tensor, shift: Tensor, epsilon: float) -> Tensor:
        ctx.save_for_backward(inputs)
        ctx.layer, ctx.epsilon = (scale, shift), epsilon
        return inputs * scale + shift

    @staticmethod
    def backward(ctx: Any, ratio: Tensor) -> tuple[Tensor | None, ...]:
        (inputs,), (scale, shift) = ctx.saved_tensors, ctx.layer
        return (inputs * scale + shift) * ratio / _away_from_zero(inputs, ctx.epsilon), None, None, None
