"""Which parameters the training of a level changes (Zimmer et al. 2023, "PERP: rethinking the prune-retrain paradigm in
the era of LLMs", sec. 3)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import nn

Names = set[str]  # of parameters


def every(network: "nn.Module") -> Names:
    """All parameters."""
    return {name for name, _ in network.named_parameters()}


def biases(network: "nn.Module") -> Names:
    """The biases of all layers, and the shifts of norms."""
    return {name for name, _ in network.named_parameters() if name.rpartition(".")[2].endswith("bias")}


def norms(network: "nn.Module") -> Names:
    """The scales and shifts of batch, layer, group and instance norm."""
    from torch import nn
    from torch.nn.modules.batchnorm import _NormBase

    kinds = (_NormBase, nn.LayerNorm, nn.GroupNorm)
    own = {id(p) for layer in network.modules() if isinstance(layer, kinds) for p in layer.parameters(recurse=False)}
    return {name for name, parameter in network.named_parameters() if id(parameter) in own}


def norms_and_biases(network: "nn.Module") -> Names:
    """Both."""
    return norms(network) | biases(network)


TRAINS: dict[str, Callable[["nn.Module"], Names]] = {
    "all": every,
    "biases": biases,
    "norms": norms,
    "norms_and_biases": norms_and_biases,
}


def freeze_others(network: "nn.Module", trains: Callable[["nn.Module"], Names]) -> None:
    """Let only these parameters have gradients. Raises ValueError if the network has none of them."""
    names = trains(network)
    if not names:
        raise ValueError("trains: the network has no such parameters; take all")
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in names)
