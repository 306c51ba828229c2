"""PreCropping (Cai et al. 2022, "Structured pruning is all you need for pruning CNNs at initialization")."""

import math

from winnow.pruning.layers import Layers, share_out

OF_CHANNELS = ONLY_CHANNELS = True  # it counts channels, and no weights


def precropping(layers: Layers, total: int) -> dict[str, int]:
    """Channels as weight pruning leaves weights. One ranking of all weights by the criterion says what fraction of each
    layer's weights remains; layers that share channels keep a fraction of these in proportion to the square root of the
    fraction of their weights that remains. So a layer between two groups of channels keeps about that fraction of its
    weights; if it is the same everywhere, exactly that.

    The layers that share channels are those that write or read them. That each group takes the fraction of all its
    layers' weights together is our reading: the paper's rule for coupled layers is not known to us.
    """
    return share_out(layers, {name: layer.shape[0] * math.sqrt(layer.left) for name, layer in layers.items()}, total)
