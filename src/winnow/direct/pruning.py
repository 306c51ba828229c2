"""Fewer weights in a network of your own, held at zero while your own loop trains it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from winnow.networks.weights import misfit
from winnow.tickets.cut import cut_smallest, may_cut
from winnow.tickets.masks import Mask, apply, ones, share_left


def prune(network: nn.Module, fraction: float, mask: Mapping[str, Tensor] | None = None, floor: int = 1) -> Mask:
    """Set the fraction of smallest weights to zero, over all layers together, and give the mask of what is left.

    The mask has bool tensors, on the CPU, by the names of the parameters that are pruned: the weights of convolutions
    and linear layers. mask: what an earlier call gave: the fraction is then of the weights that it leaves. floor: how
    many weights every layer keeps. One level of iterative magnitude pruning (Frankle and Carbin 2019).

    Raises ValueError if the fraction is not from 0 to 1, leaves a layer fewer than its floor, or the mask does not fit.
    """
    left = ones(network) if mask is None else fitting(network, mask)
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction: {fraction}: must be from 0 to 1, the part of the weights to set to zero")
    if not may_cut(left, fraction, floor):
        raise ValueError(f"fraction: {fraction} leaves fewer weights than each of {len(left)} layers keeps ({floor})")
    found = cut_smallest(network.state_dict(), left, fraction, floor)
    _zero(_pruned(network, found))
    return found


def hold(network: nn.Module, mask: Mapping[str, Tensor], optimizer: torch.optim.Optimizer) -> RemovableHandle:
    """Keep the pruned weights at zero: now, and after every step of the optimizer, until ``remove()`` of what this
    gives (or the end of a ``with`` block). The network must be on its device already.

    Raises ValueError if the mask does not fit the network.
    """
    pruned = _pruned(network, fitting(network, mask))
    _zero(pruned)
    return optimizer.register_step_post_hook(lambda *_: _zero(pruned))


def rewind(network: nn.Module, state: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> None:
    """Put the network back to a saved state dict, such as that of early in its training, with the pruned weights at
    zero. (Save it as ``copy.deepcopy(network.state_dict())``: without the copy it would go on to change.)

    Raises ValueError if the state or the mask does not fit the network.
    """
    if wrong := misfit(network, state):
        raise ValueError(f"state: does not fit the network: {wrong}")
    network.load_state_dict(apply(state, fitting(network, mask)))


def density(mask: Mapping[str, Tensor]) -> float:
    """The fraction of the prunable weights that the mask leaves."""
    return share_left(mask)


def fitting(network: nn.Module, mask: Mapping[str, Tensor]) -> Mask:
    """The mask. Raises ValueError if it names no parameters of the network, or is not of their shapes."""
    shapes = {name: parameter.shape for name, parameter in network.named_parameters()}
    for name, layer in mask.items():
        if layer.dtype != torch.bool or shapes.get(name) != layer.shape:
            raise ValueError(f"mask: {name} ({layer.dtype} {list(layer.shape)}) fits no parameter of the network")
    return dict(mask)


def _pruned(network: nn.Module, mask: Mask) -> list[tuple[nn.Parameter, Tensor]]:
    weights = [(network.get_parameter(name), kept) for name, kept in mask.items()]
    return [(weight, ~kept.to(weight.device)) for weight, kept in weights]


@torch.no_grad()
def _zero(pruned: list[tuple[nn.Parameter, Tensor]]) -> None:
    for weight, where in pruned:
        weight.masked_fill_(where, 0)
