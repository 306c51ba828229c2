"""Calls inside a network replaced by ones that mean the same, and whose second derivatives take less time.

Two things cost most of a Hessian-vector product of a convolutional network by double backward. Torch makes the second
derivative with respect to a kernel by a convolution whose kernel is a whole image, where the ordinary backward pass has
an algorithm of its own; ``_Conv2d`` takes that one. And batch norm in evaluation mode, a scaling and a shift of every
channel, passes many times over the activations; right after a convolution it is folded into the kernel and the bias.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Pair = tuple[int, int]
Geometry = tuple[Pair, Pair, Pair, int]  # stride, padding, dilation, groups


class CheapSecondDerivatives(TorchFunctionMode):
    """While this is entered, convolutions in two dimensions and the batch norm after them are replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.convolved: dict[int, tuple[Tensor, Tensor, Tensor, Tensor | None, Geometry]] = {}  # by id of the output

    def __torch_function__(self, call: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """What every call of torch inside the network goes through; calls made here are not caught again."""
        replacement = {torch.conv2d: self._conv2d, functional.batch_norm: self._batch_norm}.get(call, call)
        return replacement(*args, **(kwargs or {}))

    def _conv2d(  # the arguments are those of torch.conv2d
        self,
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: int | Pair = 1,
        padding: int | Pair | str = 0,
        dilation: int | Pair = 1,
        groups: int = 1,
    ) -> Tensor:
        if isinstance(padding, str) or input.dim() != 4:
            return torch.conv2d(input, weight, bias, stride, padding, dilation, groups)
        geometry = (_pair(stride), _pair(padding), _pair(dilation), groups)
        output = _Conv2d.apply(input, weight, bias, geometry)
        self.convolved[id(output)] = (output, input, weight, bias, geometry)  # kept, so that no other takes its id
        return output

    def _batch_norm(  # the arguments are those of functional.batch_norm
        self,
        input: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        made = self.convolved.pop(id(input), None)
        # in evaluation mode, and right after the convolution: what was done in place since has counted the version up
        if made is None or training or running_mean is None or running_var is None or made[0]._version:
            return functional.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
        _, convolved, kernel, shift, geometry = made
        scale = torch.rsqrt(running_var + eps)
        if weight is not None:
            scale = scale * weight
        shift = -running_mean * scale if shift is None else (shift - running_mean) * scale
        if bias is not None:
            shift = shift + bias
        return _Conv2d.apply(convolved, kernel * scale.view(-1, 1, 1, 1), shift, geometry)


def _pair(value: int | Pair) -> Pair:
    return (value, value) if isinstance(value, int) else value


def _backward(
    gradient: Tensor, input: Tensor, weight: Tensor, geometry: Geometry, wanted: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """The gradients with respect to input and weight, each if it is wanted. Bilinear in ``gradient`` and the other."""
    stride, padding, dilation, groups = geometry
    return torch.ops.aten.convolution_backward(
        gradient, input, weight, None, stride, padding, dilation, False, (0, 0), groups, (*wanted, False)
    )[:2]


class _Conv2d(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(input, weight)
        ctx.geometry = geometry
        return torch.conv2d(input, weight, bias, *geometry)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        input, weight = ctx.saved_tensors
        found = _Conv2dBackward.apply(gradient, input, weight, ctx.geometry, ctx.needs_input_grad[:2])
        return *found, gradient.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None, None


class _Conv2dBackward(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, gradient: Tensor, input: Tensor, weight: Tensor, geometry: Geometry, wanted: tuple[bool, bool]
    ) -> tuple[Tensor | None, Tensor | None]:
        ctx.save_for_backward(gradient, input, weight)
        ctx.geometry = geometry
        return _backward(gradient, input, weight, geometry, wanted)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, for_input: Tensor | None, for_weight: Tensor | None) -> tuple[Tensor | None, ...]:
        """From the derivatives with respect to the two gradients, each None if that gradient was not wanted."""
        gradient, input, weight = ctx.saved_tensors
        of_gradient, of_input, of_weight = None, None, None
        if for_weight is not None:
            of_gradient = torch.conv2d(input, for_weight, None, *ctx.geometry)
        if for_input is not None:
            through = torch.conv2d(for_input, weight, None, *ctx.geometry)
            of_gradient = through if of_gradient is None else of_gradient.add_(through)
        if for_input is not None and for_weight is not None:
            of_input, of_weight = _backward(gradient, for_input, for_weight, ctx.geometry, (True, True))
        return of_gradient, of_input, of_weight, None, None
