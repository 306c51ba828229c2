"""Which parameters the training of a level changes (Zimmer et al. 2023, "PERP: rethinking the prune-retrain paradigm in
the era of LLMs", sec. 3).

Each function takes the network, its mask and the replicate's seed, and returns the names of the parameters that train.
``low_rank`` adds these to the network; the others look at the network only.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor, nn

Names = set[str]  # of parameters
Trains = Callable[..., Names]


def every(network: "nn.Module", *_: object) -> Names:
    """All parameters."""
    return {name for name, _ in network.named_parameters()}


def biases(network: "nn.Module", *_: object) -> Names:
    """The biases of all layers, and the shifts of norms."""
    return {name for name, _ in network.named_parameters() if name.rpartition(".")[2].endswith("bias")}


def norms(network: "nn.Module", *_: object) -> Names:
    """The scales and shifts of batch, layer, group and instance norm."""
    from torch import nn
    from torch.nn.modules.batchnorm import _NormBase

    kinds = (_NormBase, nn.LayerNorm, nn.GroupNorm)
    own = {id(p) for layer in network.modules() if isinstance(layer, kinds) for p in layer.parameters(recurse=False)}
    return {name for name, parameter in network.named_parameters() if id(parameter) in own}


def norms_and_biases(network: "nn.Module", *_: object) -> Names:
    """Both."""
    return norms(network) | biases(network)


def low_rank(
    network: "nn.Module", mask: "Mapping[str, Tensor]", seed: int, *, rank: Annotated[int, Ge(1)] = 16
) -> Names:
    """Norms, biases, and a change of rank ``rank`` at most of the weights that remain in each layer."""
    from winnow.pruning.low_rank import add_low_rank

    return norms_and_biases(network) | add_low_rank(network, mask, rank, seed)


TRAINS: dict[str, Trains] = {
    "all": every,
    "biases": biases,
    "norms": norms,
    "norms_and_biases": norms_and_biases,
    "low_rank": low_rank,
}


def freeze_others(network: "nn.Module", trains: Trains, mask: "Mapping[str, Tensor]", seed: int) -> None:
    """Let only these parameters have gradients. Raises ValueError if the network has none of them."""
    names = trains(network, mask, seed)
    if not names:
        raise ValueError("trains: the network has no such parameters; take all")
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in names)
