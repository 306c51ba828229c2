"""Replacing calls inside a network by equivalent ones whose second derivatives take less time.

Two things take most of the time of a Hessian-vector product of a convolutional network by double backward. First, torch
computes the second derivative with respect to a kernel by a convolution whose kernel is a whole image; ``_Conv2d`` uses
the ordinary backward pass's special algorithm instead. Second, batch norm in evaluation mode, a scaling and a shift of
every channel, passes many times over the activations; right after a convolution, we fold it into the kernel and the
bias.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from winnow.autograd.override import BatchNormCall, Conv2dCall, Override, Pair, pair

Geometry = tuple[Pair, Pair, Pair, int]  # stride, padding, dilation, groups


class CheapSecondDerivatives(Override):
    """While entered, replaces two-dimensional convolutions and the batch norm after them."""

    def __init__(self) -> None:
        super().__init__({torch.conv2d: self._conv2d, functional.batch_norm: self._batch_norm})
        self.convolved: dict[int, tuple[Tensor, Tensor, Tensor, Tensor | None, Geometry]] = {}  # by id of the output

    def _conv2d(self, *args: Any, **kwargs: Any) -> Tensor:
        call = Conv2dCall(*args, **kwargs)
        if isinstance(call.padding, str) or call.input.dim() != 4:
            return torch.conv2d(
                call.input, call.weight, call.bias, call.stride, call.padding, call.dilation, call.groups
            )
        geometry = (pair(call.stride), pair(call.padding), pair(call.dilation), call.groups)
        output = _Conv2d.apply(*call[:3], geometry)
        self.convolved[id(output)] = (output, *call[:3], geometry)  # kept, so that no other tensor gets its id
        return output

    def _batch_norm(self, *args: Any, **kwargs: Any) -> Tensor:
        call = BatchNormCall(*args, **kwargs)
        made = self.convolved.pop(id(call.input), None)
        mean, variance = call.running_mean, call.running_var
        # only in evaluation mode, and right after the convolution: an in-place change in between raises the version
        if made is None or call.training or mean is None or variance is None or made[0]._version:
            return functional.batch_norm(*call)
        _, convolved, kernel, shift, geometry = made
        scale = torch.rsqrt(variance + call.eps)
        if call.weight is not None:
            scale = scale * call.weight
        shift = -mean * scale if shift is None else (shift - mean) * scale
        if call.bias is not None:
            shift = shift + call.bias
        return _Conv2d.apply(convolved, kernel * scale.view(-1, 1, 1, 1), shift, geometry)


def _backward(
    gradient: Tensor, input: Tensor, weight: Tensor, geometry: Geometry, wanted: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """The gradients with respect to input and weight, each if wanted. Bilinear in ``gradient`` and the other tensor."""
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
        """Takes the derivatives with respect to the two gradients, each None if that gradient was not wanted."""
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
