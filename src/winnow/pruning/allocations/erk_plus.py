"""ERK+ (Liu et al. 2022, "The unreasonable effectiveness of random pruning", sec. 3)."""

import math

from winnow.pruning.layers import Layers, last_linear, share_out_above


def erk_plus(layers: Layers, total: int) -> dict[str, int]:
    """As ``erk``, but the last linear layer keeps all its weights."""
    spared = {name: float(math.prod(layers[name].shape)) for name in last_linear(layers)}
    return share_out_above(layers, {name: sum(layer.shape) for name, layer in layers.items()}, total, spared)
