"""Loading networks from files."""

import numpy as np
import torch
from torch import nn


def load_network(network: nn.Module, tensors: dict[str, np.ndarray]) -> None:
    """Load the ``network.`` tensors of a saved run or checkpoint into a network of the same architecture."""
    prefix = "network."
    network.load_state_dict(
        {name.removeprefix(prefix): torch.from_numpy(t) for name, t in tensors.items() if name.startswith(prefix)}
    )
