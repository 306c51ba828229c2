"""One ranking over all layers together."""

import numpy as np

from winnow.pruning.layers import Layers, lowest

OF_CHANNELS = True  # it counts channels as well as weights


def global_(layers: Layers, total: int) -> dict[str, int]:
    """Every layer first keeps its ``least`` highest scores. Of all others, the highest stay. Among equal scores the
    later ones stay, by layer and by place."""
    free = {name: layer.scores[lowest(layer.scores, len(layer.scores) - layer.least)] for name, layer in layers.items()}
    cut = lowest(np.concatenate(list(free.values())), sum(len(layer.scores) for layer in layers.values()) - total)
    ends = np.cumsum([len(scores) for scores in free.values()])
    return {
        name: len(layers[name].scores) - int(part.sum())
        for name, part in zip(free, np.split(cut, ends[:-1]), strict=True)
    }
