"""Give a trained network a new last layer, for other classes."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from winnow.networks.weights import misfit
from winnow.training.evaluate import last_linear


def load_but_last(network: nn.Module, state: Mapping[str, np.ndarray]) -> None:
    """Load a state dict of the same architecture, whose last linear layer may have another number of outputs. The
    network keeps its own last linear layer.

    Raises ValueError if the network has no linear layer, or if anything but that layer does not fit.
    """
    last = last_linear(network)
    (prefix,) = (name for name, module in network.named_modules() if module is last)
    own = {f"{prefix}.{name}".lstrip("."): tensor for name, tensor in last.state_dict().items()}
    merged = {name: torch.from_numpy(tensor) for name, tensor in state.items()} | own
    wrong = misfit(network, merged)
    if wrong:
        raise ValueError(f"the network differs in more than its last linear layer: {wrong}")
    network.load_state_dict(merged)
