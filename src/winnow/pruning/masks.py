"""Masks: which of a network's weights are left, as bool tensors (on the CPU) by the names of its parameters."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

Mask = dict[str, Tensor]  # True where the weight is left; of the shape of the parameter

# The weights of a layer by its type. An attention holds the linear layers of its queries, keys and values itself: as
# one matrix, or, where their inputs differ in size, as three.
WEIGHTS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Conv1d: ("weight",),
    nn.Conv2d: ("weight",),
    nn.Conv3d: ("weight",),
    nn.Linear: ("weight",),
    nn.MultiheadAttention: ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"),
}


def prunable(network: nn.Module) -> list[str]:
    """The names of the parameters that may be cut, in the order of ``network.named_parameters()``: the weights of
    convolutions and linear layers, those inside an attention too; no biases, norm layers, positional embeddings or
    class tokens.
    """
    weights = {
        id(getattr(layer, name))
        for layer in network.modules()
        for kind, names in WEIGHTS.items()
        if isinstance(layer, kind)
        for name in names
    }
    return [name for name, parameter in network.named_parameters() if id(parameter) in weights]


def ones(network: nn.Module) -> Mask:
    """The mask of the dense network: every prunable weight is left."""
    return {name: torch.ones(network.get_parameter(name).shape, dtype=torch.bool) for name in prunable(network)}


def whole(mask: Mapping[str, Tensor]) -> Mask:
    """The mask of the same layers that leaves every weight."""
    return {name: torch.ones(layer.shape, dtype=torch.bool) for name, layer in mask.items()}


def layer_sizes(mask: Mapping[str, Tensor]) -> dict[str, int]:
    """How many prunable weights every layer has, left or not."""
    return {name: layer.numel() for name, layer in mask.items()}


def layer_counts(mask: Mapping[str, Tensor]) -> dict[str, int]:
    """How many weights are left in every layer."""
    return {name: int(layer.sum()) for name, layer in mask.items()}


def layer_densities(mask: Mapping[str, Tensor]) -> dict[str, float]:
    """The fraction of its weights that is left in every layer."""
    sizes = layer_sizes(mask)
    return {name: count / sizes[name] for name, count in layer_counts(mask).items()}


def count_left(mask: Mapping[str, Tensor]) -> int:
    """How many weights are left in all layers."""
    return sum(layer_counts(mask).values())


def density(mask: Mapping[str, Tensor]) -> float:
    """The fraction of the prunable weights that is left: 0.8 after the first level that cuts a fifth."""
    return count_left(mask) / sum(layer_sizes(mask).values())


def is_nested(inner: Mapping[str, Tensor], outer: Mapping[str, Tensor]) -> bool:
    """Whether every weight that ``inner`` leaves is left by ``outer`` too. Both are masks of one network."""
    return not any(bool((layer & ~outer[name]).any()) for name, layer in inner.items())


def apply(weights: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights (or a whole state dict, on any device) with +0.0 where the mask is False.

    A new dict; tensors that the mask does not name are the same tensors, not copies.
    """
    return {
        name: tensor.masked_fill(~mask[name].to(tensor.device), 0) if name in mask else tensor
        for name, tensor in weights.items()
    }


def pack(mask: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """A mask as named arrays for ``storage.save_tensors``: ``mask.NAME``, uint8, eight weights to a byte in row-major
    order, the first in the highest bit; and ``shape.NAME``, int64, the shape of the parameter.
    """
    bits = {f"mask.{name}": np.packbits(layer.cpu().numpy()) for name, layer in mask.items()}
    return bits | {f"shape.{name}": np.array(layer.shape, np.int64) for name, layer in mask.items()}


def unpack(tensors: Mapping[str, np.ndarray]) -> Mask:
    """The mask that ``pack`` put among these tensors, its layers in the order of theirs."""
    mask = {}
    for name in [name.removeprefix("mask.") for name in tensors if name.startswith("mask.")]:
        shape = tuple(tensors[f"shape.{name}"].tolist())
        bits = np.unpackbits(tensors[f"mask.{name}"], count=int(np.prod(shape)))
        mask[name] = torch.from_numpy(bits.astype(bool)).reshape(shape)
    return mask
