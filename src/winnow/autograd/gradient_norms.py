"""The exact norm of every example's gradient with respect to all weights, in one forward and one backward pass (GraNd).

Backpropagation brings to every layer the gradient of each example's loss with respect to the layer's output, and the
forward pass its input. The layer's weight gradient is a product of the two, and only its norm is wanted: it is taken
layer by layer (layer_norms.py) and added up. So no example's gradient of the whole network is ever in memory, no
example has a pass of its own, and no weight gradient of the batch is computed.

How it is hooked in: while the network runs, every call that takes a trainable weight (conv2d, linear, batch_norm, ...)
is replaced by an autograd function whose backward pass adds the layer's squared norms to a sum, and hands *no* gradient
on to the weight. A weight for which autograd does find a gradient was used in some way that is not covered, and that is
an error: no weight can be left out unnoticed. The network, its weights and their gradients are left as they were.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.evaluation import evaluation
from winnow.autograd.layer_norms import batch_norm_squares, conv2d_squares, linear_squares
from winnow.autograd.override import Pair, pair
from winnow.autograd.weight_calls import Geometry, WeightCalls

# Below so many output positions oneDNN's convolutions are slower in channels-last memory, above they are faster.
FEW_POSITIONS = 32


def gradient_norms(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """The L2 norm [n] of the gradient of each example's cross-entropy with respect to all trainable weights.

    inputs: float [n, c, h, w], or whatever else the network takes; targets: int64 [n]; the network gives logits [n, k].
    Paul, Ganguli, Dziugaite 2021, def. 2.1, for one network: GraNd is the mean over networks. Evaluation mode is set
    for the time of the call: batch norm uses its running statistics, nothing is dropped out, and examples do not mix.

    Raises ValueError, naming the layer, if a weight is used in a way that ``WeightCalls`` does not cover.
    """
    recorder = _Norms(len(inputs), network)
    with evaluation(network), torch.enable_grad():
        with recorder:
            logits = network(inputs.detach())
        residual, scale = _residual(logits.detach(), targets)
        if not logits.requires_grad:  # every weight is frozen
            return torch.zeros_like(scale)
        found = torch.autograd.grad(logits, recorder.weights, residual, allow_unused=True)
    recorder.check(found)
    # the sums over pairs of positions have terms of both signs: where the norm vanishes they may end just below zero
    return scale * torch.as_tensor(recorder.squares, dtype=scale.dtype, device=scale.device).clamp_min(0).sqrt()


def _residual(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of each example's cross-entropy with respect to its logits, p - y, in units of its largest entry.

    Gradients are linear in it, so that entry is multiplied back in at the end: the squares in between would underflow
    for examples that are classified with much confidence. For the same sake p_y - 1 is computed as minus the sum of the
    others: of 1 minus nearly 1 few digits are left.
    """
    p = logits.softmax(1)
    p.scatter_(1, targets[:, None], 0)
    p.scatter_(1, targets[:, None], -p.sum(1, keepdim=True))
    scale = p.abs().amax(1)
    return p / scale.clamp_min(torch.finfo(p.dtype).tiny)[:, None], scale


class _Norms(WeightCalls):
    """Adds up the squared norms [n] of the weights' gradients."""

    def __init__(self, examples: int, network: nn.Module) -> None:
        super().__init__(examples, network)
        self.squares: Tensor | float = 0.0

    def conv2d(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        return _Conv2d.apply(self, inputs, weight, bias, *geometry)

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return _Linear.apply(self, inputs, weight, bias)

    def batch_norm(self, inputs: Tensor, mean: Tensor, rstd: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return _BatchNorm.apply(self, inputs, mean, rstd, weight, bias)

    def copies(self, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
        return _Copies.apply(self, weight, shape)

    def add(self, squares: Tensor) -> None:
        """Add the squared norms [n] of one weight's gradients."""
        self.squares = self.squares + squares


def _layout(tensor: Tensor) -> torch.memory_format:
    channels_last = tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if channels_last and not tensor.is_contiguous() else torch.contiguous_format


class _Conv2d(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, recorder: _Norms, inputs: Tensor, weight: Tensor, bias: Tensor | None,
        stride: Pair, padding: Pair, dilation: Pair, groups: int,
    ) -> Tensor:  # fmt: skip
        ctx.recorder, ctx.options, ctx.layout_before = recorder, (stride, padding, dilation, groups), _layout(inputs)
        ctx.layout = _layout(inputs)
        if inputs.device.type == "cpu":
            sizes = zip(inputs.shape[2:], weight.shape[2:], stride, padding, dilation, strict=True)
            rows, columns = ((size + 2 * p - d * (k - 1) - 1) // s + 1 for size, k, s, p, d in sizes)
            ctx.layout = torch.channels_last if rows * columns >= FEW_POSITIONS else torch.contiguous_format
        inputs = inputs.contiguous(memory_format=ctx.layout)
        ctx.save_for_backward(inputs, weight)
        ctx.bias_sizes = None if bias is None else list(bias.shape)
        return torch.conv2d(inputs, weight, bias, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, *outputs: Any) -> Any:
        (inputs, weight), (stride, padding, dilation, groups) = ctx.saved_tensors, ctx.options
        gradients = outputs[0].contiguous(memory_format=ctx.layout)
        if ctx.needs_input_grad[2]:
            kernel = pair(weight.shape[2:])
            ctx.recorder.add(conv2d_squares(inputs, gradients, kernel, stride, padding, dilation, groups))
        if ctx.needs_input_grad[3]:
            ctx.recorder.add(gradients.sum((2, 3)).square().sum(1))
        towards_inputs = None
        if ctx.needs_input_grad[1]:
            towards_inputs = torch.ops.aten.convolution_backward(
                gradients, inputs, weight, ctx.bias_sizes,
                stride, padding, dilation, False, (0, 0), groups, (True, False, False),
            )[0].contiguous(memory_format=ctx.layout_before)  # fmt: skip
        return None, towards_inputs, None, None, None, None, None, None


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, recorder: _Norms, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.recorder = recorder
        ctx.save_for_backward(inputs, weight)
        return functional.linear(inputs, weight, bias)

    @staticmethod
    def backward(ctx: Any, *outputs: Any) -> Any:
        (inputs, weight), gradients = ctx.saved_tensors, outputs[0]
        if ctx.needs_input_grad[2]:
            ctx.recorder.add(linear_squares(inputs, gradients))
        if ctx.needs_input_grad[3]:
            ctx.recorder.add(
                gradients.flatten(1, -2).sum(1).square().sum(1) if inputs.dim() > 2 else gradients.square().sum(1)
            )
        return None, gradients @ weight if ctx.needs_input_grad[1] else None, None, None


class _BatchNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, recorder: _Norms, inputs: Tensor, mean: Tensor, rstd: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        ctx.recorder = recorder
        ctx.save_for_backward(inputs, mean, rstd, weight)
        per_channel = (1, -1) + (1,) * (inputs.dim() - 2)
        slope = weight * rstd
        return torch.addcmul((bias - mean * slope).view(per_channel), inputs, slope.view(per_channel))

    @staticmethod
    def backward(ctx: Any, *outputs: Any) -> Any:
        inputs, mean, rstd, weight = ctx.saved_tensors
        gradients = outputs[0].contiguous(memory_format=_layout(inputs))
        of_weight, of_bias, towards_inputs = batch_norm_squares(inputs, gradients, mean, rstd, weight * rstd)
        if ctx.needs_input_grad[4]:
            ctx.recorder.add(of_weight)
        if ctx.needs_input_grad[5]:
            ctx.recorder.add(of_bias)
        return None, towards_inputs, None, None, None, None


class _Copies(torch.autograd.Function):
    """One copy of a weight for each example, [n, *shape]: its gradient is the gradient of every example."""

    @staticmethod
    def forward(ctx: Any, recorder: _Norms, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
        ctx.recorder = recorder
        return weight.reshape(shape).expand(recorder.examples, *shape)

    @staticmethod
    def backward(ctx: Any, *outputs: Any) -> Any:
        ctx.recorder.add(outputs[0].flatten(1).square().sum(1))
        return None, None, None
