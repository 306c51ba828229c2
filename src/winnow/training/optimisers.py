"""The optimisers by name: each takes one step, and keeps its moments in a dict of tensors that a restart can read.

They are torch's own, as functions: the classes take two seconds to import torch's compiler when they are first used.
"""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.adam import adam as torch_adam
from torch.optim.sgd import sgd as torch_sgd

from winnow.params.training import Training

Moments = dict[
    str, Tensor
]  # by KIND.PARAMETER, such as velocity.0.weight; those of the parameter's shape follow its mask
Weights = Mapping[str, nn.Parameter]  # by parameter name; all have gradients


def sgd(weights: Weights, moments: Moments, training: Training, learning_rate: float | Tensor) -> None:
    """A step of stochastic gradient descent, with momentum and weight decay in the gradient."""
    torch_sgd(
        list(weights.values()),
        _gradients(weights),
        [*_of_shape("velocity", weights, moments)],
        fused=True,
        weight_decay=training.weight_decay,
        momentum=training.momentum,
        lr=learning_rate,  # a tensor's value may change between a graph's replays
        dampening=0,
        nesterov=training.nesterov,
        maximize=False,
    )


def adam(
    weights: Weights, moments: Moments, training: Training, learning_rate: float | Tensor, *, decoupled: bool
) -> None:
    """A step of Adam (Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 1).

    decoupled: whether weight decay shrinks the weights themselves (AdamW: Loshchilov and Hutter 2019, "Decoupled weight
    decay regularization", algorithm 2), instead of being a part of the gradient.
    """
    new = [name for name in weights if f"count.{name}" not in moments]
    moments |= {f"count.{name}": weights[name].new_zeros((), requires_grad=False) for name in new}
    torch_adam(
        list(weights.values()),
        _gradients(weights),
        _of_shape("mean", weights, moments),
        _of_shape("square", weights, moments),
        [],
        [moments[f"count.{name}"] for name in weights],
        fused=True,
        decoupled_weight_decay=decoupled,
        amsgrad=False,
        beta1=training.momentum,
        beta2=training.beta2,
        lr=learning_rate,
        weight_decay=training.weight_decay,
        eps=training.epsilon,
        maximize=False,
    )


def _gradients(weights: Weights) -> list[Tensor]:
    return [weight.grad for weight in weights.values() if weight.grad is not None]


def _of_shape(kind: str, weights: Weights, moments: Moments) -> list[Tensor]:
    """The moments of this kind, of their parameters' shapes; zero at a parameter's first step."""
    missing = {name: weight for name, weight in weights.items() if f"{kind}.{name}" not in moments}
    moments |= {f"{kind}.{name}": torch.zeros_like(weight) for name, weight in missing.items()}
    return [moments[f"{kind}.{name}"] for name in weights]


def restored(tensors: Moments, network: nn.Module) -> Moments:
    """Moments, or other tensors by KIND.PARAMETER, as they were kept, on the network's device, and in memory in the
    order of their parameters, as the fused steps take them."""
    weights = dict(network.named_parameters())
    device = next(iter(weights.values())).device
    moments = {}
    for name, tensor in tensors.items():
        weight = weights.get(name.partition(".")[2])
        if weight is not None and weight.shape == tensor.shape:
            moments[name] = torch.empty_like(weight, dtype=tensor.dtype).copy_(tensor)
        else:
            moments[name] = tensor.to(device)
    return moments


def forget(moments: Moments, parameter: str, where: Tensor) -> None:
    """Set a parameter's moments to zero where the bool tensor of its shape is True."""
    for name, moment in moments.items():
        if name.partition(".")[2] == parameter and moment.shape == where.shape:
            moment.masked_fill_(where, 0)


OPTIMISERS: dict[str, Callable[[Weights, Moments, Training, float | Tensor], None]] = {
    "sgd": sgd,
    "adam": partial(adam, decoupled=False),
    "adamw": partial(adam, decoupled=True),
}
