"""Several networks of one architecture, each on its own batch, as one computation.

``torch.vmap`` runs the architecture's code once for all networks, and is right for every operation that it takes. But
its own rules for the layers in which the work lies know nothing of autocast: on some devices convolutions stay in
float32, and batch norm fails in bfloat16. Average pooling has none at all. So these layers have rules of our own here,
each of which is one ordinary call for all networks: a convolution in groups, a batch norm of k times the channels, …
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from winnow.autograd.override import BatchNormCall, Conv2dCall, LinearCall, Override

Forward = Callable[[Tensor], Tensor]  # inputs [k, b, c, h, w] to logits [k, b, classes], network i on inputs[i]


@contextmanager
def ensemble(networks: Sequence[nn.Module]) -> Iterator[Forward]:
    """The forward pass of k networks of one architecture, in the modes that they are in.

    Gradients reach every network's own parameters. What it keeps in buffers (the running statistics of batch norm) it
    has when the block ends well; if the block raises, the buffers are as they were.

    What it gives raises RuntimeError where the networks can not run as one, such as in dropout: vmap has no random
    stream for each network.
    """
    if len(networks) == 1:
        yield lambda inputs: networks[0](inputs[0]).unsqueeze(0)
        return
    parameters = [dict(network.named_parameters()) for network in networks]
    kept = [dict(network.named_buffers()) for network in networks]
    buffers = {name: torch.stack([own[name] for own in kept]) for name in kept[0]}
    one = torch.vmap(lambda *state_and_inputs: torch.func.functional_call(networks[0], *state_and_inputs))

    def forward(inputs: Tensor) -> Tensor:
        weights = {name: _stack([own[name] for own in parameters]) for name in parameters[0]}
        with Override(RULES):
            return one((weights, buffers), (inputs,))

    yield forward
    with torch.no_grad():
        for i, own in enumerate(kept):
            for name, buffer in own.items():
                buffer.copy_(buffers[name][i])


def _stack(tensors: Sequence[Tensor]) -> Tensor:
    """torch.stack, which loses the memory layout channels_last of convolutions' weights, and this does not."""
    if tensors[0].dim() != 4:
        return torch.stack(list(tensors))
    return torch.stack([tensor.movedim(1, -1) for tensor in tensors]).movedim(-1, 2)


def _conv2d(k: int, call: Conv2dCall) -> Tensor:
    biases = None if call.bias is None else call.bias.flatten()
    x, kernels = _side_by_side(call.input), call.weight.flatten(0, 1)
    return _apart(k, F.conv2d(x, kernels, biases, call.stride, call.padding, call.dilation, k * call.groups))


def _batch_norm(k: int, call: BatchNormCall) -> Tensor:
    x = _side_by_side(call.input)
    mean, variance, weight, bias = (None if tensor is None else tensor.flatten() for tensor in call[1:5])
    return _apart(k, F.batch_norm(x, mean, variance, weight, bias, call.training, call.momentum, call.eps))


def _linear(k: int, call: LinearCall) -> Tensor:
    rows, weight, bias = call.input.flatten(1, -2), call.weight, call.bias
    out = torch.bmm(rows, weight.mT) if bias is None else torch.baddbmm(bias.unsqueeze(1), rows, weight.mT)
    return out.unflatten(1, call.input.shape[1:-1])


class _PoolCall(NamedTuple):
    input: Tensor
    output_size: Any


def _adaptive_avg_pool2d(k: int, call: _PoolCall) -> Tensor:
    return _apart(k, F.adaptive_avg_pool2d(_side_by_side(call.input), call.output_size))


def _side_by_side(x: Tensor) -> Tensor:
    """[k, b, c, ...] as [b, k c, ...]: a view, if it comes from ``_apart``."""
    return x.movedim(0, 1).flatten(1, 2)


def _apart(k: int, x: Tensor) -> Tensor:
    return x.unflatten(1, (k, -1)).movedim(1, 0)


class _Layer(torch.autograd.Function):
    """How torch lets a function bring its own rule for vmap: under it, ``vmap`` is called, on tensors with the networks
    in front, and nothing else is."""

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # torch wants it to be there
        raise NotImplementedError

    @staticmethod
    def vmap(
        info: Any, dims: tuple[int | None, ...], rule: Callable[[int, Any], Tensor], kind: Any, *args: Any
    ) -> tuple[Tensor, int]:
        k = info.batch_size
        in_front = [
            arg if not isinstance(arg, Tensor) else arg.expand(k, *arg.shape) if dim is None else arg.movedim(dim, 0)
            for arg, dim in zip(args, dims[2:], strict=True)
        ]
        return rule(k, kind(*in_front)), 0


def _layer_rule(rule: Callable[[int, Any], Tensor], kind: Any) -> Callable[..., Tensor]:
    """A rule for k networks' calls as one for a call inside vmap."""
    return lambda *args, **kwargs: _Layer.apply(rule, kind, *kind(*args, **kwargs))


RULES = {
    torch.conv2d: _layer_rule(_conv2d, Conv2dCall),
    F.batch_norm: _layer_rule(_batch_norm, BatchNormCall),
    F.linear: _layer_rule(_linear, LinearCall),
    F.adaptive_avg_pool2d: _layer_rule(_adaptive_avg_pool2d, _PoolCall),
}
