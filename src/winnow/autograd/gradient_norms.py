"""The exact norm of every example's gradient with respect to all weights, in one forward and one backward pass (GraNd).

The forward pass gives every layer its input, and backpropagation gives it the gradient of each example's loss with
respect to its output. The layer's weight gradient is a product of the two, and only its norm is needed: we compute the
squared norms layer by layer (layer_norms.py) and add them up. So no example's gradient of the whole network is ever in
memory, no example needs a pass of its own, and no weight gradient of the batch is computed.

While the network runs, an autograd function replaces every call that takes a trainable weight (conv2d, linear,
batch_norm, ...). Its backward pass adds the layer's squared norms to a sum, and passes *no* gradient on to the weight.
If autograd still finds a gradient for a weight, the weight was used in a way that is not covered. That is an error, so
no weight can be left out unnoticed. The network, its weights and their gradients stay unchanged.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.evaluation import evaluation
from winnow.autograd.layer_norms import batch_norm_squares, conv2d_squares, linear_squares
from winnow.autograd.override import BatchNormCall, Conv2dCall, Override, Pair, pair

# oneDNN's convolutions are slower in channels-last memory below this many output positions, and faster above.
FEW_POSITIONS = 32


def gradient_norms(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """The L2 norm [n] of the gradient of each example's cross-entropy with respect to all trainable weights.

    inputs: float [n, c, h, w], or what else the network takes; targets: int64 [n]; the network gives logits [n, k].
    Paul, Ganguli, Dziugaite 2021, def. 2.1, for one network: GraNd is the mean over networks. The network runs in
    evaluation mode: batch norm uses its running statistics, dropout is off, and examples do not mix.

    Covered: convolutions in two dimensions and linear layers of every shape, batch, layer and group norm, multi-head
    attention without masks, and parameters of one example's shape that are added, multiplied or expanded directly, as
    in vision transformers. The first dimension of a layer's inputs must count the examples.

    Raises ValueError, naming the layer, if a weight is used in another way or more than once.
    """
    weights = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    recorder = _Recorder(len(inputs), network, weights)
    with evaluation(network), torch.enable_grad():
        with recorder:
            logits = network(inputs.detach())
        residual, scale = _residual(logits.detach(), targets)
        if not logits.requires_grad:  # every weight is frozen
            return torch.zeros_like(scale)
        found = torch.autograd.grad(logits, list(weights.values()), residual, allow_unused=True)
    for weight, gradient in zip(weights.values(), found, strict=True):
        if gradient is not None:
            raise recorder.error(weight, "is used in a way for which gradient norms have no formula")
    # the sums over pairs of positions have terms of both signs: if the norm vanishes, they may end just below zero
    return scale * torch.as_tensor(recorder.squares, dtype=scale.dtype, device=scale.device).clamp_min(0).sqrt()


def _residual(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of each example's cross-entropy with respect to its logits, p - y, in units of its largest entry.

    Gradients are linear in it, so that entry is multiplied back in at the end: otherwise the squares would underflow
    for examples classified with high confidence. For the same reason p_y - 1 is computed as minus the sum of the
    others: 1 minus nearly 1 would keep few digits.
    """
    p = logits.softmax(1)
    p.scatter_(1, targets[:, None], 0)
    p.scatter_(1, targets[:, None], -p.sum(1, keepdim=True))
    scale = p.abs().amax(1)
    return p / scale.clamp_min(torch.finfo(p.dtype).tiny)[:, None], scale


class _Recorder(Override):
    """Replaces the calls that take trainable weights, and adds up the squared norms [n] of the weights' gradients."""

    def __init__(self, examples: int, network: nn.Module, weights: dict[str, nn.Parameter]) -> None:
        super().__init__({call: partial(rule, self) for call, rule in RULES.items()})
        self.examples, self.network = examples, network
        self.names = {id(weight): name for name, weight in weights.items()}
        self.claimed: set[int] = set()
        self.squares: Tensor | float = 0.0

    def trains(self, tensor: Any) -> bool:
        """Whether this is one of the weights whose gradient is wanted."""
        return id(tensor) in self.names

    def claim(self, inputs: Tensor, *weights: Tensor | None) -> bool:
        """Whether to replace a layer with these weights.

        Not if no weight is trained, nor if one is computed from trained weights: then the ordinary call reveals it.
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

    def add(self, squares: Tensor) -> None:
        """Add the squared norms [n] of one weight's gradients."""
        self.squares = self.squares + squares

    def error(self, weight: Tensor, problem: str) -> ValueError:
        """The error for a problem with a weight, with the name of its layer."""
        path, _, name = self.names[id(weight)].rpartition(".")
        layer = type(self.network.get_submodule(path)).__name__
        where = f"{path} ({layer})" if path else layer
        return ValueError(f"{name} of layer {where} {problem}")


def _conv2d(recorder: _Recorder, *args: Any, **kwargs: Any) -> Tensor:
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
    return _Conv2d.apply(recorder, inputs, call.weight, call.bias, *geometry)


def _linear(recorder: _Recorder, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    if not recorder.claim(input, weight, bias):
        return functional.linear(input, weight, bias)
    return _Linear.apply(recorder, input, weight, bias)


def _batch_norm(recorder: _Recorder, *args: Any, **kwargs: Any) -> Tensor:
    call = BatchNormCall(*args, **kwargs)
    mean, variance, weight, bias = call[1:5]
    if call.training or mean is None or variance is None:
        raise ValueError("a batch norm keeps no running statistics, so that no example has a gradient of its own")
    if weight is None or bias is None or not recorder.claim(call.input, weight, bias):
        return functional.batch_norm(*call)
    return _BatchNorm.apply(recorder, call.input, mean, (variance + call.eps).rsqrt(), weight, bias)


def _layer_norm(
    recorder: _Recorder,
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
    recorder: _Recorder,
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


def _attention(recorder: _Recorder, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
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


def _expand(recorder: _Recorder, weight: Tensor, *sizes: Any, **options: Any) -> Tensor:
    """A weight of the shape of one example, such as a class token, that is repeated for every example."""
    shape = tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    if recorder.trains(weight) and shape[:1] == (recorder.examples,) and weight.shape[0] == 1 and not options:
        return _copies(recorder, weight.detach().expand(shape), weight, tuple(weight.shape[1:])).expand(shape)
    return weight.expand(*sizes, **options)


def _arithmetic(call: Any) -> Callable[..., Tensor]:
    """The rule of a sum, a difference or a product."""

    def rule(recorder: _Recorder, *args: Any, **kwargs: Any) -> Tensor:
        return call(*(_operands(recorder, *args) if len(args) == 2 else args), **kwargs)

    return rule


def _operands(recorder: _Recorder, left: Any, right: Any) -> tuple[Any, Any]:
    """The two operands; a weight that is the same for all examples becomes one copy per example."""
    if recorder.trains(left) and not recorder.trains(right):
        right, left = _operands(recorder, right, left)
    elif recorder.trains(right) and isinstance(left, Tensor) and left.shape[:1] == (recorder.examples,):
        shape = (1,) * (left.dim() - right.dim()) + tuple(right.shape)
        if len(shape) == left.dim() and shape[0] == 1:
            right = _copies(recorder, left, right, shape[1:])
    return left, right


def _copies(recorder: _Recorder, inputs: Tensor, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
    if not recorder.claim(inputs, weight):
        return weight.view(shape)
    return _Copies.apply(recorder, weight, shape)


def _layout(tensor: Tensor) -> torch.memory_format:
    channels_last = tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if channels_last and not tensor.is_contiguous() else torch.contiguous_format


class _Conv2d(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, recorder: _Recorder, inputs: Tensor, weight: Tensor, bias: Tensor | None,
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
    def forward(ctx: Any, recorder: _Recorder, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
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
        ctx: Any, recorder: _Recorder, inputs: Tensor, mean: Tensor, rstd: Tensor, weight: Tensor, bias: Tensor
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
    def forward(ctx: Any, recorder: _Recorder, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
        ctx.recorder = recorder
        return weight.reshape(shape).expand(recorder.examples, *shape)

    @staticmethod
    def backward(ctx: Any, *outputs: Any) -> Any:
        ctx.recorder.add(outputs[0].flatten(1).square().sum(1))
        return None, None, None


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
