"""The neural tangent kernel of a network on a few examples, without the Jacobian.

One forward pass, and one backward pass of all logits at once, which brings to every layer the gradients of the logits
with respect to the layer's outputs. With the layer's inputs they give what the layer adds to the kernel
(gram_products.py). Then they are dropped: memory holds the gradients of one layer's outputs, and a few columns of its
Jacobian. Calls that take weights are found as for gradient norms (weight_calls.py).
"""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.evaluation import evaluation
from winnow.autograd.gram_products import add_rows, add_weight, whole
from winnow.autograd.weight_calls import Geometry, WeightCalls

Take = Callable[[Tensor], None]  # given the gradients of all k logits with respect to an output, [k, *output's shape]


def gram(network: nn.Module, inputs: Tensor) -> Tensor:
    """The Gram matrix [n * k, n * k] of the gradients of all logits with respect to all trainable weights.

    inputs: float [n, c, h, w], or whatever else the network takes; the network gives logits [n, k]. Row i * k + c
    belongs to logit c of example i. This is the data-dependent NTK, K(S) = J J^T for the Jacobian J [n * k, weights] of
    the logits: Paul, Ganguli, Dziugaite 2021, section 5.1, after Fort et al. 2020. Evaluation mode is set for the time
    of the call, and the network is left as it was.

    Raises ValueError, naming the layer, if a weight is used in a way that ``WeightCalls`` does not cover.
    """
    recorder = _Rows(len(inputs), network)
    found: list[Tensor | None] = []
    with evaluation(network), torch.enable_grad():
        with recorder:
            logits = network(inputs.detach())
        n, k = logits.shape
        recorder.gram = logits.detach().new_zeros(n * k, n * k)
        if not logits.requires_grad:  # every weight is frozen
            return recorder.gram

        def backward(of_logits: Tensor) -> Tensor:
            found.extend(torch.autograd.grad(logits, recorder.weights, of_logits, allow_unused=True))
            return of_logits

        each = torch.eye(k, dtype=logits.dtype, device=logits.device)[:, None]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "There is a performance drop")  # for attention, vmap has a plain loop
            torch.func.vmap(backward)(each.expand(k, n, k))
    recorder.check(found)
    return whole(recorder.gram)


def velocity(before: Tensor, after: Tensor) -> float:
    """How fast a kernel turns: 1 minus the cosine of two Gram matrices [m, m], from 0 to 1. NaN if one is zero.

    Paul, Ganguli, Dziugaite 2021, section 5.1, where ``after`` is taken one epoch later.
    """
    a, b = before.double(), after.double()
    # half the squared distance of the unit matrices, and not 1 - cosine, of which a slow kernel has few digits
    return float((a / a.norm() - b / b.norm()).square().sum() / 2)


class _Rows(WeightCalls):
    """Adds to the Gram matrix what each layer adds, when the gradients reach its output."""

    gram: Tensor

    def conv2d(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        stride, padding, dilation, groups = geometry
        outputs = torch.conv2d(inputs, weight.detach(), _detached(bias), *geometry)
        kernel, inputs = weight.shape[2:], inputs.detach()

        def take(gradients: Tensor) -> None:
            gradients = gradients.flatten(3)
            self._add_bias(bias, gradients)
            if self.trains(weight):
                patches = functional.unfold(inputs, kernel, dilation, padding, stride)
                add_weight(self.gram, patches.unflatten(1, (groups, -1)), gradients.unflatten(2, (groups, -1)))

        return self._tapped(outputs, take)

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        outputs = functional.linear(inputs, weight.detach(), _detached(bias))
        inputs = inputs.detach().reshape(len(inputs), -1, inputs.shape[-1])

        def take(gradients: Tensor) -> None:
            gradients = gradients.reshape(*gradients.shape[:2], -1, gradients.shape[-1]).transpose(2, 3)
            self._add_bias(bias, gradients)
            if self.trains(weight):
                add_weight(self.gram, inputs.transpose(1, 2).unsqueeze(1), gradients.unsqueeze(2))

        return self._tapped(outputs, take)

    def batch_norm(self, inputs: Tensor, mean: Tensor, rstd: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        per_channel = (1, -1) + (1,) * (inputs.dim() - 2)
        slope = weight.detach() * rstd
        shift = bias.detach() - mean * slope
        outputs = torch.addcmul(shift.view(per_channel), inputs, slope.view(per_channel))
        inputs = inputs.detach()

        def take(gradients: Tensor) -> None:
            self._add_bias(bias, gradients.flatten(3) if inputs.dim() > 2 else gradients.unsqueeze(3))
            if self.trains(weight):
                normalised = ((inputs - mean.view(per_channel)) * rstd.view(per_channel)).unsqueeze(2).flatten(2)
                products = [(normalised * of_logit.reshape(normalised.shape)).sum(2) for of_logit in gradients]
                add_rows(self.gram, torch.stack(products))

        return self._tapped(outputs, take)

    def copies(self, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
        each = weight.detach().reshape(shape).expand(self.examples, *shape).clone()
        return self._tapped(each, lambda gradients: add_rows(self.gram, gradients))

    def _add_bias(self, bias: Tensor | None, gradients: Tensor) -> None:
        """gradients [k, n, g, P]."""
        if bias is not None and self.trains(bias):
            add_rows(self.gram, gradients.sum(3))

    def _tapped(self, outputs: Tensor, take: Take) -> Tensor:
        """The outputs, whose gradients will be handed to ``take``."""
        return _Tap.apply(outputs, self.weights[0], take)


def _detached(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach()


class _Tap(torch.autograd.Function):
    """A tensor as it is, whose gradients are shown. ``weight`` makes autograd come here; it gets no gradient."""

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, weight: Tensor, take: Take) -> Tensor:
        ctx.take = take
        ctx.mark_dirty(outputs)  # else it would be a view, which the next layer may not change in place
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        _Shown.apply(gradients[0], ctx.take)
        return gradients[0], None, None


class _Shown(torch.autograd.Function):
    """Under vmap, where everything else sees one logit's gradients, this sees those of all."""

    @staticmethod
    def forward(gradients: Tensor, take: Take) -> Tensor:
        raise NotImplementedError("called without vmap")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept."""

    @staticmethod
    def vmap(info: Any, in_dims: Any, gradients: Tensor, take: Take) -> tuple[Tensor, None]:
        at = in_dims[0]  # None where the gradients of all logits are the same
        take(gradients.expand(info.batch_size, *gradients.shape) if at is None else gradients.movedim(at, 0))
        return gradients.new_zeros(()), None
