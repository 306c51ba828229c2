"""The exact norm of every example's gradient with respect to all weights, in one forward and one backward pass (GraNd).

Backpropagation brings to every layer the gradient of each example's loss with respect to the layer's output, and the
forward pass its input. The layer's weight gradient is a product of the two, and only its norm is wanted: it is taken layer
by layer (layer_norms.py) and added up. So no example's gradient of the whole network is ever in memory, no example has a
pass of its own, and no weight gradient of the batch is computed.

How it is hooked in: while the network runs, every call that takes a trainable weight (conv2d, linear, batch_norm, ...) is
replaced by an autograd function whose backward pass adds the layer's squared norms to a sum, and hands *no* gradient on to
the weight. A weight for which autograd does find a gradient was used in some way that is not covered, and that is an
error: no weight can be left out unnoticed. The network itself, its weights and their gradients are left as they were.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from winnow.errors import UserError
from winnow.scores.layer_norms import Pair, batch_norm_squares, conv2d_squares, linear_squares

# Below so many output positions oneDNN's convolutions are slower in channels-last memory, above they are faster.
FEW_POSITIONS = 32


def gradient_norms(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """The L2 norm [n] of the gradient of each example's cross-entropy with respect to all trainable weights.

    inputs: float [n, c, h, w], or whatever else the network takes; targets: int64 [n]; the network gives logits [n, k].
    Paul, Ganguli, Dziugaite 2021, def. 2.1, for one network: GraNd is the mean over networks. Evaluation mode is set for
    the time of the call: batch norm uses its running statistics, nothing is dropped out, and examples do not mix.

    Covered: convolutions in two dimensions and linear layers of every shape, batch, layer and group norm, multi-head
    attention without masks, and parameters of one example's shape that are added, multiplied or expanded directly, as
    vision transformers do. The first dimension of what a layer is given must count the examples.

    Raises UserError, naming the layer, if a weight is used in another way or more than once.
    """
    names = {id(weight): name for name, weight in network.named_parameters()}
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    recorder = _Recorder(len(inputs), network, names)
    with _evaluation(network), torch.enable_grad():
        with recorder:
            logits = network(inputs.detach())
        residual, scale = _residual(logits.detach(), targets)
        if not logits.requires_grad:
            return torch.zeros_like(scale)
        found = torch.autograd.grad(logits, weights, residual, allow_unused=True)
    for weight, gradient in zip(weights, found, strict=True):
        if gradient is not None:
            raise UserError(recorder.message(weight, "is used in a way that has no formula for gradient norms yet"))
    # sums of products of either sign may end a little below zero where the norm vanishes
    return scale * recorder.squares.clamp_min(0).sqrt()


def _residual(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of each example's cross-entropy with respect to its logits, p - y, in units of its largest entry.

    Gradients are linear in it, so that entry is multiplied back in at the end: the squares in between would underflow for
    examples that are classified with much confidence. For the same sake p_y - 1 is the sum of the others: 1 minus nearly 1
    has few digits left.
    """
    p = logits.softmax(1)
    p.scatter_(1, targets[:, None], 0)
    p.scatter_(1, targets[:, None], -p.sum(1, keepdim=True))
    scale = p.abs().amax(1)
    return p / scale.clamp_min(torch.finfo(p.dtype).tiny)[:, None], scale


@contextmanager
def _evaluation(network: nn.Module) -> Iterator[None]:
    """Evaluation mode for the time of the block, then every layer's own mode again."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


class _Recorder(TorchFunctionMode):
    """Replaces the calls that take trainable weights, and adds up the squared norms [n] of the weights' gradients."""

    def __init__(self, examples: int, network: nn.Module, names: dict[int, str]) -> None:
        super().__init__()
        self.examples, self.network, self.names = examples, network, names
        self.squares: Tensor | float = 0.0
        self.seen: set[int] = set()
        self.replacements: dict[Callable[..., Any], Callable[..., Any]] = {
            torch.conv2d: self.conv2d,
            functional.linear: self.linear,
            functional.batch_norm: self.batch_norm,
            functional.layer_norm: self.layer_norm,
            functional.group_norm: self.group_norm,
            functional.multi_head_attention_forward: self.attention,
            torch.Tensor.expand: self.expand,
            **dict.fromkeys(ELEMENTWISE, None),
        }
