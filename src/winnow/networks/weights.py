"""Loading weights to start from, and checking that they fit."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from winnow.storage import load_tensors


def load_weights(network: nn.Module, path: str) -> None:
    """Load a state dict from a safetensors file.

    Raises UserError if the file is missing or damaged, ValueError if it does not fit the network.
    """
    state = {name: torch.from_numpy(tensor) for name, tensor in load_tensors(path).items()}
    wrong = misfit(network, state)
    if wrong:
        raise ValueError(f"{path} does not fit the network: {wrong}")
    network.load_state_dict(state)


def misfit(network: nn.Module, state: Mapping[str, Tensor]) -> str | None:
    """Why a state dict cannot be loaded into the network, in one line; None if it can."""
    own = network.state_dict()
    missing, extra = [n for n in own if n not in state], [n for n in state if n not in own]
    if missing or extra:
        parts = [f"it lacks {_some(missing)}"] * bool(missing) + [f"it has {_some(extra)}"] * bool(extra)
        return f"{', and '.join(parts)}{', which the network has not' * bool(extra)}"
    for name, tensor in own.items():
        if tensor.shape != state[name].shape:
            return f"{name} has the shape {list(state[name].shape)}, and in the network {list(tensor.shape)}"
    return None


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
