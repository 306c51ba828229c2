"""Low-rank changes of the weights that remain: a training learns them in place of the weights, and then they are added
to these (MaskLoRA of Zimmer et al. 2023, "PERP: rethinking the prune-retrain paradigm in the era of LLMs"; after Hu et
al. 2022, "LoRA: low-rank adaptation of large language models").

The factors are parameters of the network while it trains (``torch.nn.utils.parametrize``), so that the loop and a
restart treat them as all others. The saved network has none.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, register_parametrization, remove_parametrizations

from winnow.pruning.masks import weights_of
from winnow.streams import torch_stream

SCALE = 2.0  # alpha / rank: the paper's 32 / 16


class LowRank(nn.Module):
    """From a layer's weights W [out, in, ...] to W + 2 mask (b a), with b [out, rank] and a [rank, in ...]. As in LoRA,
    a begins uniform between -1 / sqrt(in ...) and its opposite, and b at zero, so that W stays at first."""

    def __init__(self, mask: Tensor, rank: int, draws: torch.Generator) -> None:
        super().__init__()
        rows, columns = mask.flatten(1).shape
        rank = min(rank, rows, columns)
        self.a = nn.Parameter((2 * torch.rand(rank, columns, generator=draws) - 1) / columns**0.5)
        self.b = nn.Parameter(torch.zeros(rows, rank))
        self.mask: Tensor
        self.register_buffer("mask", mask.clone(), persistent=False)

    def forward(self, weights: Tensor) -> Tensor:
        with torch.autocast(weights.device.type, enabled=False):
            return weights + SCALE * (self.b @ self.a).view(weights.shape) * self.mask


def add_low_rank(network: nn.Module, mask: Mapping[str, Tensor], rank: int, seed: int) -> set[str]:
    """Let the network, on the CPU, compute the weights of all layers from their values and a low-rank change, and
    return the names of the factors, which are parameters of the network from now on.

    The change is zero where the mask has pruned. ``seed``: of the factors' first values. Raises ValueError for torch's
    recurrent layers, which use their weights in another way.
    """
    for number, name in enumerate(sorted(weights_of(mask))):
        path, _, own = name.rpartition(".")
        layer = network.get_submodule(path)
        if isinstance(layer, nn.RNNBase):
            raise ValueError(f"trains: low_rank cannot change {name}, of torch's recurrent layers; take all")
        register_parametrization(layer, own, LowRank(mask[name], rank, torch_stream(seed, "initialisation", 1, number)))
    return {
        f"{name}.{own}"
        for name, module in network.named_modules()
        if isinstance(module, LowRank)
        for own, _ in module.named_parameters()
    }


def merge(network: nn.Module) -> None:
    """Add the changes to the network's weights, if it has any, and remove the factors."""
    for layer in list(network.modules()):
        if is_parametrized(layer):
            for name in [name for name, _ in layer.get_submodule("parametrizations").named_children()]:
                remove_parametrizations(layer, name, leave_parametrized=True)
