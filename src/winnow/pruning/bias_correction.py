"""Biases that make up for pruned weights (Nagel et al. 2019, "Data-free quantization through weight equalization and
bias correction", sec. 4.2, for quantised weights; that they also measure the means on images is from memory)."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from winnow.autograd.evaluation import evaluation

if TYPE_CHECKING:
    from winnow.training.batches import Batch

Passes = Callable[[], "Iterable[Batch]"]  # each call gives the same batches again
KINDS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def mean_outputs(network: nn.Module, passes: Passes, *only: str) -> dict[str, Tensor]:
    """The mean output of every linear layer and convolution with a bias, or of some, over all examples and positions:
    float64 [outputs], by the layer's name, in the order in which the network calls them. In evaluation mode.

    A layer that the network does not call, such as the last one of torch's attention, is left out.
    """
    sums: dict[str, Tensor] = {}
    counts: dict[str, int] = {}

    def note(name: str, layer: nn.Module, output: Tensor) -> None:
        places = layer.get_parameter("weight").dim() - 2  # dimensions after the channels
        rows = output.movedim(-1 - places, -1).flatten(0, -2).double()
        sums[name] = sums.get(name, 0) + rows.sum(0)
        counts[name] = counts.get(name, 0) + len(rows)

    handles = [
        layer.register_forward_hook(lambda layer, _inputs, output, name=name: note(name, layer, output))
        for name, layer in network.named_modules()
        if isinstance(layer, KINDS) and layer.bias is not None and (not only or name in only)
    ]
    try:
        with evaluation(network), torch.no_grad():
            for inputs, _ in passes():
                network(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return {name: total / counts[name] for name, total in sums.items()}


def correct_biases(network: nn.Module, wanted: dict[str, Tensor], passes: Passes) -> None:
    """Shift the biases such that the layers' mean outputs are the wanted ones, ``mean_outputs`` of before the cut.

    Each layer's mean is measured after all layers before it have been corrected, so there is a pass over the examples
    for every layer.
    """
    for name, mean in wanted.items():
        now = mean_outputs(network, passes, name)[name]
        with torch.no_grad():
            bias = network.get_submodule(name).get_parameter("bias")
            bias.add_((mean - now).to(bias.dtype))
