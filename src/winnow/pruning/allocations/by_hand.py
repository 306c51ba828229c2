"""Densities of layers by hand."""

import math

from winnow.pruning.layers import Layers, share_out


def by_hand(layers: Layers, total: int, *, densities: dict[str, float]) -> dict[str, int]:
    """The layers in ``densities`` keep that fraction of their size, rounded; the others share the rest of the total, in
    proportion to their sizes. A layer keeps no more weights than it has left, and no fewer than its ``least``.

    Raises ValueError that names the layer for an unknown layer or a density that is not from 0 to 1, and if the others
    cannot make up the total.
    """
    fixed = {}
    for name, density in densities.items():
        if name not in layers:
            raise ValueError(f"densities.{name}: there is no such layer; there are {', '.join(layers)}")
        if not 0 <= density <= 1:
            raise ValueError(f"densities.{name}: must be from 0 to 1, not {density:g}")
        layer = layers[name]
        fixed[name] = max(layer.least, min(round(density * math.prod(layer.shape)), len(layer.scores)))
    others = {name: layer for name, layer in layers.items() if name not in fixed}
    rest = total - sum(fixed.values())
    fewest, most = (
        sum(layer.least for layer in others.values()),
        sum(len(layer.scores) for layer in others.values()),
    )
    if not fewest <= rest <= most:
        raise ValueError(
            f"densities: these layers keep {sum(fixed.values())} weights, and the others from {fewest} to {most}, "
            f"but {total} should remain; change the densities, or how much is pruned"
        )
    if not others:
        return fixed
    return fixed | share_out(others, {name: math.prod(layer.shape) for name, layer in others.items()}, rest)
