"""How many multiplications a network needs for one image."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from winnow.pruning.masks import WEIGHTS, layer_counts, prunable


@torch.no_grad()
def positions(network: nn.Module, example: Tensor) -> dict[str, int]:
    """How often each prunable weight is multiplied for one image, by the weight's name: at every position of its
    layer's output, such as 1024 in a convolution that gives 32 x 32 pixels.

    example: inputs [n, ...] of the network.
    """
    network, found = copy.deepcopy(network).eval(), dict.fromkeys(prunable(network), 0)

    def count(names: list[str], width: int) -> Any:
        def after(_layer: nn.Module, _inputs: Any, outputs: Any) -> None:
            tensor = outputs[0] if isinstance(outputs, tuple) else outputs
            for name in names:
                found[name] += tensor.numel() // (width * len(example))

        return after

    for path, layer in network.named_modules():
        of_kind = next((names for kind, names in WEIGHTS.items() if isinstance(layer, kind)), ())
        names = [f"{path}.{name}".lstrip(".") for name in of_kind if getattr(layer, name) is not None]
        if isinstance(layer, nn.MultiheadAttention):  # it takes the weights of its last layer without a call
            layer.register_forward_hook(count([*names, f"{path}.out_proj.weight".lstrip(".")], layer.embed_dim))
        elif names:
            layer.register_forward_hook(count(names, len(network.get_parameter(names[0]))))
    network(example)
    return found


def multiplications(mask: Mapping[str, Tensor], positions: Mapping[str, int]) -> int:
    """The multiplications by the weights that a mask keeps, for one image. Biases, norm layers and the products inside
    attention are not counted."""
    return sum(positions[name] * left for name, left in layer_counts(mask).items())
