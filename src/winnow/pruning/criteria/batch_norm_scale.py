"""The scale of batch norm (network slimming; Liu et al. 2017, "Learning efficient convolutional networks through
network slimming", sec. 3)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.pruning.context import Context, Scores


def batch_norm_scale(context: "Context") -> "Scores":
    """Every weight gets the size of the scale by which the batch norm directly after its layer multiplies its output.
    Weights of a layer without one get the highest score of all, so that they go last. Takes one image, for its shape.

    The paper trains with a penalty of the scales' sizes, which makes many of them small; Winnow's training has none but
    weight decay. It prunes with one threshold for all layers: ``relative: false`` of ``structure: channels``.

    Raises ValueError if no layer is followed by a batch norm with a scale.
    """
    from winnow.pruning.channel_groups import norms_after
    from winnow.pruning.filters import to_weights

    inputs, _ = next(iter(context.batches(1, 1)))
    parameters, after = dict(context.network.named_parameters()), norms_after(context.network, inputs)
    scales = {
        name: parameters[f"{norm}.weight"].detach().abs()
        for name, norm in after.items()
        if name in context.mask and f"{norm}.weight" in parameters
    }
    if not scales:
        raise ValueError("criterion: batch_norm_scale finds no layer with a batch norm after it; take filter_norm")
    highest = max(float(scale.max()) for scale in scales.values())
    return {
        name: to_weights(scales.get(name, weight.new_full((len(weight),), highest)), weight)
        for name, weight in context.weights.items()
    }
