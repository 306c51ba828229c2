"""The calls of torch inside a network that take its trainable weights, found and handed to whoever wants to see them.

What is computed from single examples' weight gradients needs of every layer its inputs, and the gradients with respect
to its outputs. ``WeightCalls`` brings every such call into one of four forms: a convolution, a linear layer, a batch
norm, or one copy of the weight for each example. A weight that is used in another way is an error: none is left out
unnoticed.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.override import BatchNormCall, Conv2dCall, Override, Pair, pair

Geometry = tuple[Pair, Pair, Pair, int]  # stride, padding, dilation, groups


class WeightCalls(Override):
    """Replaces the calls that take trainable weights. A subclass says by what, and must hand no gradient on to them.

    Covered: convolutions in two dimensions and linear layers of every shape, batch, layer and group norm, multi-head
    attention without masks, and parameters of one example's shape that are added, multiplied or expanded directly, as
    vision transformers do. The first dimension of what a layer is given must count the examples.

    Raises ValueError, naming the layer, if a weight is used more than once.
    """

    def __init__(self, examples: int, network: nn.Module) -> None:
        super().__init__({call: partial(rule, self) for call, rule in RULES.items()})
        self.examples, self.network = examples, network
        weights = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
        self.weights = list(weights.values())
        self.names = {id(weight): name for name, weight in weights.items()}
        self.claimed: set[int] = set()

    def conv2d(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        """The convolution of inputs [n, c, h, w]."""
        raise NotImplementedError

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The linear layer of inputs [n, ..., a]."""
        raise NotImplementedError

    def batch_norm(self, inputs: Tensor, mean: Tensor, rstd: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """(inputs - mean) * rstd * weight + bias, by the channels of inputs [n, channels, ...]."""
        raise NotImplementedError

    def copies(self, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The weight once for each example, [n, *shape]."""
        raise NotImplementedError

    def trains(self, tensor: Any) -> bool:
        """Whether this is one of the weights whose gradient is asked for."""
        return id(tensor) in self.names

    def claim(self, inputs: Tensor, *weights: Tensor | None) -> bool:
        """Whether a layer with these weights must be replaced.

        Not if none is trained; nor if one is computed from trained ones, which the ordinary call then betrays.
        """
        if any(w is not None and w.requires_grad and not self.trains(w) for w in weights):
            return False
        trained = [w for w in weights if w is not None and self.trains(w)]
        for weight in trained:
            if id(weight) in self.claimed:
                raise self.error(weight, "is used more than once in a forward pass")
            self.claimed.add(id(weight))
            if inputs.shape[:1] != (self.examples,):
                raise self.error(weight, f"meets inputs of shape {tuple(inputs.shape)}, not one row per image")
        return bool(trained)

    def check(self, found: Sequence[Tensor | None]) -> None:
        """Raise ValueError if autograd has found a gradient of a weight: it was used in a way that is not covered."""
        for weight, gradient in zip(self.weights, found, strict=True):
            if gradient is not None:
                raise self.error(weight, "is used in a way for which gradients of single examples have no formula")

    def error(self, weight: Tensor, problem: str) -> ValueError:
        """What stands in the way, with the name of the layer."""
        path, _, name = self.names[id(weight)].rpartition(".")
        layer = type(self.network.get_submodule(path)).__name__
        where = f"{path} ({layer})" if path else layer
        return ValueError(f"{name} of layer {where} {problem}")


def _conv2d(recorder: WeightCalls, *args: Any, **kwargs: Any) -> Tensor:
    call = Conv2dCall(*args, **kwargs)
    inputs, padding, dilation = call.input, call.padding, pair(call.dilation)
    if isinstance(padding, str):
        kernel = call.weight.shape[2:]
        reach = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, kernel, strict=True)]
        inputs = functional.pad(inputs, (reach[1] // 2, (reach[1] + 1) // 2, reach[0] // 2, (reach[0] + 1) // 2))
        padding = 0
    if not recorder.claim(inputs, call.weight, call.bias):
        return torch.conv2d(inputs, call.weight, call.bias, call.stride, padding, dilation, call.groups)
    geometry = (pair(call.stride), pair(padding), dilation, call.groups)
    return recorder.conv2d(inputs, call.weight, call.bias, geometry)


def _linear(recorder: WeightCalls, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    if not recorder.claim(input, weight, bias):
        return functional.linear(input, weight, bias)
    return recorder.linear(input, weight, bias)


def _batch_norm(recorder: WeightCalls, *args: Any, **kwargs: Any) -> Tensor:
    call = BatchNormCall(*args, **kwargs)
    mean, variance, weight, bias = call[1:5]
    if call.training or mean is None or variance is None:
        raise ValueError("a batch norm keeps no running statistics, so that no example has a gradient of its own")
    if weight is None or bias is None or not recorder.claim(call.input, weight, bias):
        return functional.batch_norm(*call)
    return recorder.batch_norm(call.input, mean, (variance + call.eps).rsqrt(), weight, bias)


def _layer_norm(
    recorder: WeightCalls,
    input: Tensor,
    normalized_shape: list[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    output = functional.layer_norm(input, normalized_shape, None, None, eps)
    shape = (1,) * (input.dim() - 1 - len(normalized_shape)) + tuple(normalized_shape)
    output = output if weight is None else output * _copies(recorder, output, weight, shape)
    return output if bias is None else output + _copies(recorder, output, bias, shape)


def _group_norm(
    recorder: WeightCalls,
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    output = functional.group_norm(input, num_groups, None, None, eps)
    shape = (input.shape[1],) + (1,) * (input.dim() - 2)
    output = output if weight is None else output * _copies(recorder, output, weight, shape)
    return output if bias is None else output + _copies(recorder, output, bias, shape)


def _attention(recorder: WeightCalls, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
    """Self-attention without masks: two linear layers around softmax(q k^T / sqrt(d)) v, for [tokens, n, features]."""
    given = ATTENTION.bind(*args, **kwargs)
    given.apply_defaults()
    a = given.arguments
    self_attention = a["query"] is a["key"] is a["value"] and a["query"].dim() == 3
    if not self_attention or any(a[option] is not None and a[option] is not False for option in UNCOVERED_ATTENTION):
        return functional.multi_head_attention_forward(*args, **kwargs)
    tokens = a["query"].transpose(0, 1)
    projected = _linear(recorder, tokens, a["in_proj_weight"], a["in_proj_bias"])
    q, k, v = projected.unflatten(2, (3, a["num_heads"], -1)).permute(2, 0, 3, 1, 4)
    mixed = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    return _linear(recorder, mixed, a["out_proj_weight"], a["out_proj_bias"]).transpose(0, 1), None


def _expand(recorder: WeightCalls, weight: Tensor, *sizes: Any, **options: Any) -> Tensor:
    """A weight of the shape of one example, such as a class token, that is repeated for every example."""
    shape = tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    if recorder.trains(weight) and shape[:1] == (recorder.examples,) and weight.shape[0] == 1 and not options:
        return _copies(recorder, weight.detach().expand(shape), weight, tuple(weight.shape[1:])).expand(shape)
    return weight.expand(*sizes, **options)


def _arithmetic(call: Any) -> Callable[..., Tensor]:
    """The rule of a sum, a difference or a product."""

    def rule(recorder: WeightCalls, *args: Any, **kwargs: Any) -> Tensor:
        return call(*(_operands(recorder, *args) if len(args) == 2 else args), **kwargs)

    return rule


def _operands(recorder: WeightCalls, left: Any, right: Any) -> tuple[Any, Any]:
    """The two operands, of which a weight that is the same for all examples becomes one copy per example."""
    if recorder.trains(left) and not recorder.trains(right):
        right, left = _operands(recorder, right, left)
    elif recorder.trains(right) and isinstance(left, Tensor) and left.shape[:1] == (recorder.examples,):
        shape = (1,) * (left.dim() - right.dim()) + tuple(right.shape)
        if len(shape) == left.dim() and shape[0] == 1:
            right = _copies(recorder, left, right, shape[1:])
    return left, right


def _copies(recorder: WeightCalls, inputs: Tensor, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
    if not recorder.claim(inputs, weight):
        return weight.view(shape)
    return recorder.copies(weight, shape)


ATTENTION = inspect.signature(functional.multi_head_attention_forward)
UNCOVERED_ATTENTION = (
    "bias_k", "bias_v", "static_k", "static_v", "key_padding_mask", "attn_mask", "add_zero_attn", "need_weights",
    "use_separate_proj_weight",
)  # fmt: skip

RULES: dict[Any, Callable[..., Any]] = {
    torch.conv2d: _conv2d,
    functional.linear: _linear,
    functional.batch_norm: _batch_norm,
    functional.layer_norm: _layer_norm,
    functional.group_norm: _group_norm,
    functional.multi_head_attention_forward: _attention,
    torch.Tensor.expand: _expand,
    **{
        call: _arithmetic(call)
        for call in (torch.add, torch.sub, torch.mul, torch.Tensor.add, torch.Tensor.sub, torch.Tensor.mul)
    },
}
