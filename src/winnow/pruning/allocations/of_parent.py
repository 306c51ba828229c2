"""As many weights in every layer as the parent has."""

from winnow.pruning.layers import Layers

ANYWHERE = True  # the level has as many weights as its parent, at any places, pruned ones too


def of_parent(layers: Layers, total: int) -> dict[str, int]:
    """Every layer keeps its count, and the counts sum to the total. Other weights of the layer may take their places:
    Frankle et al. 2021, "Pruning neural networks at initialization: why are we missing the mark?", sec. 4, shuffle such
    masks."""
    return {name: len(layer.scores) for name, layer in layers.items()}
