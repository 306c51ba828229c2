"""Masks: which of a network's weights remain, as bool tensors (on the CPU) by the names of its parameters.

A mask names all prunable weights, which have two dimensions or more. It may also name parameters of one dimension,
biases and norms, that are held at zero with the weights of a residual block that is cut (``residual_blocks``). These do
not count as weights.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

Mask = dict[str, Tensor]  # True where the weight remains; each has its parameter's shape

# The weights of a layer by its type. An attention itself holds the projections of its queries, keys and values: as one
# matrix, or as three if their inputs differ in size.
WEIGHTS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Conv1d: ("weight",),
    nn.Conv2d: ("weight",),
    nn.Conv3d: ("weight",),
    nn.Linear: ("weight",),
    nn.MultiheadAttention: ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"),
}


def prunable(network: nn.Module) -> list[str]:
    """The names of the parameters that may be pruned, in the order of ``network.named_parameters()``: the weights of
    convolutions, linear layers and recurrent layers, including those inside an attention. Biases, norm layers,
    positional embeddings and class tokens are left out.
    """
    weights = {
        id(getattr(layer, name))
        for layer in network.modules()
        for kind, names in WEIGHTS.items()
        if isinstance(layer, kind)
        for name in names
    }
    weights |= {
        id(weight)
        for layer in network.modules()
        if isinstance(layer, nn.RNNBase)  # one for every direction of every layer, of its inputs and its hidden units
        for name, weight in layer.named_parameters(recurse=False)
        if name.startswith("weight_")
    }
    return [name for name, parameter in network.named_parameters() if id(parameter) in weights]


def ones(network: nn.Module) -> Mask:
    """The mask of the dense network: it keeps every prunable weight."""
    return {name: torch.ones(network.get_parameter(name).shape, dtype=torch.bool) for name in prunable(network)}


def whole(mask: Mapping[str, Tensor]) -> Mask:
    """A mask of the same layers that keeps every weight."""
    return {name: torch.ones(layer.shape, dtype=torch.bool) for name, layer in mask.items()}


def weights_of(mask: Mapping[str, Tensor]) -> Mask:
    """The mask of the prunable weights alone."""
    return {name: layer for name, layer in mask.items() if layer.dim() > 1}


def others_of(mask: Mapping[str, Tensor]) -> Mask:
    """The mask of what else is held at zero: biases and norms of residual blocks that are cut."""
    return {name: layer for name, layer in mask.items() if layer.dim() < 2}


def layer_sizes(mask: Mapping[str, Tensor]) -> dict[str, int]:
    """How many prunable weights every layer has, pruned ones included."""
    return {name: layer.numel() for name, layer in weights_of(mask).items()}


def layer_counts(mask: Mapping[str, Tensor]) -> dict[str, int]:
    """How many weights remain in every layer."""
    return {name: int(layer.sum()) for name, layer in weights_of(mask).items()}


def layer_densities(mask: Mapping[str, Tensor]) -> dict[str, float]:
    """The density of every layer: the fraction of its weights that remains."""
    sizes = layer_sizes(mask)
    return {name: count / sizes[name] for name, count in layer_counts(mask).items()}


def count_left(mask: Mapping[str, Tensor]) -> int:
    """How many weights remain in all layers together."""
    return sum(layer_counts(mask).values())


def density(mask: Mapping[str, Tensor]) -> float:
    """The fraction of the prunable weights that remains: 0.8 after a first level that prunes a fifth."""
    return count_left(mask) / sum(layer_sizes(mask).values())


def is_nested(inner: Mapping[str, Tensor], outer: Mapping[str, Tensor]) -> bool:
    """Whether ``outer`` keeps all that ``inner`` keeps. Both are masks of one network; one that does not name a
    parameter keeps it whole."""
    return not any(bool((inner.get(name, ~torch.zeros_like(layer)) & ~layer).any()) for name, layer in outer.items())


def apply(weights: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights (or a whole state dict, on any device) with +0.0 where the mask is False.

    Returns a new dict. Tensors that the mask does not name are passed on, not copied.
    """
    return {
        name: tensor.masked_fill(~mask[name].to(tensor.device), 0) if name in mask else tensor
        for name, tensor in weights.items()
    }


def pack(mask: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """A mask as named arrays for ``storage.save_tensors``: ``mask.NAME``, uint8, holds eight weights per byte in
    row-major order, the first in the highest bit; ``shape.NAME``, int64, is the shape of the parameter.
    """
    bits = {f"mask.{name}": np.packbits(layer.cpu().numpy()) for name, layer in mask.items()}
    return bits | {f"shape.{name}": np.array(layer.shape, np.int64) for name, layer in mask.items()}


def unpack(tensors: Mapping[str, np.ndarray]) -> Mask:
    """The mask that ``pack`` put among these tensors, its layers in the order of the tensors."""
    mask = {}
    for name in [name.removeprefix("mask.") for name in tensors if name.startswith("mask.")]:
        shape = tuple(tensors[f"shape.{name}"].tolist())
        bits = np.unpackbits(tensors[f"mask.{name}"], count=int(np.prod(shape)))
        mask[name] = torch.from_numpy(bits.astype(bool)).reshape(shape)
    return mask
