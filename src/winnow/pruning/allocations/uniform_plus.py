"""Uniform+ (Gale, Elsen, Hooker 2019, "The state of sparsity in deep neural networks", sec. 3.1)."""

import math

from winnow.pruning.layers import Layers, convolutions, last_linear, share_out_above


def uniform_plus(layers: Layers, total: int) -> dict[str, int]:
    """The first convolution keeps all its weights, the last linear layer at least a fifth; the others keep the same
    fraction of their size, so that the total is met."""
    spared = {name: float(math.prod(layers[name].shape)) for name in convolutions(layers)[:1]}
    spared |= {name: 0.2 * math.prod(layers[name].shape) for name in last_linear(layers)}
    return share_out_above(layers, {name: math.prod(layer.shape) for name, layer in layers.items()}, total, spared)
