"""The gradients of single examples with respect to the weights of convolutions and linear layers, from one forward and
one backward pass.

Calls that take weights are found as for gradient norms (weight_calls.py). A layer's inputs and the gradients with
respect to its outputs give its gradients, a few examples at a time, and they are handed on and dropped.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.evaluation import evaluation
from winnow.autograd.weight_calls import Geometry, WeightCalls

NUMBERS = 2**24  # of a layer's gradients that are in memory at a time

Take = Callable[[str, Tensor], object]  # the weight's name, and the gradients [m, *shape] of the next m examples
Loss = Callable[[Tensor], Tensor]  # of the outputs: a sum of one term for each example


def example_gradients(network: nn.Module, inputs: Tensor, loss: Loss, take: Take) -> None:
    """Hand the gradients of each example's loss to ``take``, for every weight that is trainable: layer after layer, and
    of each layer the examples in their order.

    inputs: [n, ...], as the network takes them. Evaluation mode is set for the time of the call, and the network is
    left as it was. The trainable weights must be those of convolutions and linear layers, and used once.

    Raises ValueError, naming the layer, if a weight is used in another way.
    """
    recorder = _Rows(len(inputs), network, take)
    with evaluation(network), torch.enable_grad():
        with recorder:
            outputs = network(inputs.detach())
        found = torch.autograd.grad(loss(outputs), recorder.weights, allow_unused=True)
    recorder.check(found)


class _Rows(WeightCalls):
    def __init__(self, examples: int, network: nn.Module, take: Take) -> None:
        super().__init__(examples, network)
        self.take = take

    def conv2d(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        stride, padding, dilation, groups = geometry
        kernel, taken = weight.shape[2:], inputs.detach()

        def columns(some: slice) -> Tensor:
            return functional.unfold(taken[some], kernel, dilation, padding, stride).unflatten(1, (groups, -1))

        outputs = torch.conv2d(inputs, weight.detach(), bias, *geometry)
        return self._seen(outputs, weight, columns, lambda of_outputs: of_outputs.flatten(2).unflatten(1, (groups, -1)))

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        taken = inputs.detach().reshape(len(inputs), 1, -1, inputs.shape[-1]).transpose(2, 3)
        outputs = functional.linear(inputs, weight.detach(), bias)
        return self._seen(
            outputs,
            weight,
            lambda some: taken[some],
            lambda of_outputs: of_outputs.reshape(len(of_outputs), 1, -1, of_outputs.shape[-1]).transpose(2, 3),
        )

    def _seen(
        self, outputs: Tensor, weight: Tensor, columns: Callable[[slice], Tensor], rows: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """The outputs. Their gradients will give those of the weight: the products of ``rows`` of these gradients,
        [n, groups, g, P], with ``columns`` of the inputs, [n, groups, a, P]."""
        examples = max(1, NUMBERS // (weight.numel() + outputs[0].numel() * weight[0].numel() // weight.shape[0]))

        def show(gradients: Tensor) -> None:
            for first in range(0, len(gradients), examples):
                some = slice(first, first + examples)
                products = rows(gradients[some]) @ columns(some).transpose(2, 3)
                self.take(self.names[id(weight)], products.reshape(-1, *weight.shape))

        return _Shown.apply(outputs, weight, show)


class _Shown(torch.autograd.Function):
    """A tensor as it is, whose gradient is shown. ``weight`` makes autograd come here; it gets no gradient."""

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, weight: Tensor, show: Callable[[Tensor], None]) -> Tensor:
        ctx.show = show
        ctx.mark_dirty(outputs)  # else it would be a view, which the next layer may not change in place
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        with torch.no_grad():
            ctx.show(gradients[0])
        return gradients[0], None, None
