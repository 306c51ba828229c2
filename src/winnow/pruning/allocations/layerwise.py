"""The same fraction of what every layer has left, and less of the last (Frankle and Carbin 2019, "The lottery ticket
hypothesis", section 2 and appendix G)."""

from winnow.pruning.layers import Layers, last_linear, share_out


def layerwise(layers: Layers, total: int, *, last: float = 0.5) -> dict[str, int]:
    """Every layer loses the same fraction of its remaining weights, the last linear layer ``last`` times that fraction:
    in the paper a fifth, and a tenth.

    Raises ValueError if ``last`` is not from 0 to 1.
    """
    if not 0 <= last <= 1:
        raise ValueError(f"last: must be from 0 to 1, not {last:g}")
    left = {name: len(layer.scores) for name, layer in layers.items()}
    rate = dict.fromkeys(layers, 1.0) | dict.fromkeys(last_linear(layers), last)
    could_go = sum(rate[name] * count for name, count in left.items())
    fraction = (sum(left.values()) - total) / could_go if could_go else 0.0
    return share_out(layers, {name: max((1 - rate[name] * fraction) * n, 1e-9) for name, n in left.items()}, total)
