"""Erdős-Rényi-kernel (Evci et al. 2020, "Rigging the lottery", sec. 3; after Mocanu et al. 2018)."""

from winnow.pruning.layers import Layers, share_out


def erk(layers: Layers, total: int) -> dict[str, int]:
    """Every layer keeps a count in proportion to the sum of its dimensions, so larger layers become sparser. A layer
    that would keep more weights than it has keeps all, and the others keep fewer."""
    return share_out(layers, {name: sum(layer.shape) for name, layer in layers.items()}, total)
