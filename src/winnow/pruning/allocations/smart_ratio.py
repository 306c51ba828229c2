"""Smart ratio (Su et al. 2020, "Sanity-checking pruning methods: random tickets can win the jackpot", sec. 4)."""

import math

from winnow.pruning.layers import Layers, in_order, last_linear, share_out


def smart_ratio(layers: Layers, total: int, *, vgg: bool = False) -> dict[str, int]:
    """Layer l of N has a density in proportion to (N - l + 1)^2 + (N - l + 1), so later layers become sparser. The last
    linear layer is not counted among them: it keeps 30%. What a layer lacks goes to later layers.

    vgg: divide by l^2 too, as the paper does for VGG. The paper means it for random places at the initialisation. It
    has convolutions only; we count linear layers before the last among the N.
    """
    size = {name: float(math.prod(layer.shape)) for name, layer in layers.items()}
    last = last_linear(layers)
    others = [name for name in in_order(layers) if name not in last]
    wanted = {name: min(0.3 * size[name], float(total)) for name in last}
    ratios = [(k * k + k) / (place**2 if vgg else 1) for place, k in enumerate(range(len(others), 0, -1), start=1)]
    parts = {name: ratio * size[name] for name, ratio in zip(others, ratios, strict=True)}
    scale = (total - sum(wanted.values())) / max(sum(parts.values()), 1.0)
    carried = 0.0
    for name in others:
        room = float(len(layers[name].scores))
        wanted[name] = min(scale * parts[name] + carried, room)
        carried += scale * parts[name] - wanted[name]
    # a layer that should keep nothing still has a part: it takes what the full ones cannot
    return share_out(layers, {name: max(part, 1e-9 * size[name]) for name, part in wanted.items()}, total)
