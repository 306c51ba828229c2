"""The same fraction of every layer."""

import math

from winnow.pruning.layers import Layers, share_out

OF_CHANNELS = True  # it counts channels as well as weights


def uniform(layers: Layers, total: int) -> dict[str, int]:
    """Every layer keeps the same fraction of its size. A layer with fewer remaining weights keeps them all."""
    return share_out(layers, {name: math.prod(layer.shape) for name, layer in layers.items()}, total)
