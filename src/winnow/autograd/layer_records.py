"""Something of every layer of a network, kept while the network computes its outputs as ever."""

import torch
from torch import Tensor, nn

from winnow.autograd.evaluation import evaluation
from winnow.autograd.weight_calls import WeightCalls


class Recorder(WeightCalls):
    """Keeps a tensor of each layer, by the name of its weight. A subclass computes the layers and calls ``keep``."""

    def __init__(self, examples: int, network: nn.Module) -> None:
        super().__init__(examples, network)
        self.found: dict[str, Tensor] = {}

    def keep(self, weight: Tensor, value: Tensor) -> None:
        self.found[self.names[id(weight)]] = value


@torch.no_grad()
def recorded(kind: type[Recorder], network: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """What this kind of recorder keeps of one forward pass of inputs [n, ...], in evaluation mode."""
    recorder = kind(len(inputs), network)
    with evaluation(network), recorder:
        network(inputs)
    return recorder.found
