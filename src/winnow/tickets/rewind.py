"""Rewind points: networks a few steps into their training, and the level 0 that begins at one."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.masks import ones
from winnow.storage import load_tensor_provenance, load_tensors, save_tensors
from winnow.tickets.files import Ticket, save_ticket
from winnow.training.loop import Run


def keep_rewind_point(run: Run) -> None:
    """At the end of a run, save ``network.safetensors``: weights and batch-norm state, with the number of steps as
    provenance."""
    state = {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
    save_tensors(run.working / "network.safetensors", state, {"steps": run.step})


def load_rewind_point(rewind: Path) -> dict[str, Tensor]:
    """The state dict that ``keep_rewind_point`` saved."""
    prefix = "network."
    return {name.removeprefix(prefix): torch.from_numpy(tensor) for name, tensor in load_tensors(rewind).items()}


def rewind_step(rewind: Path) -> int:
    """After how many steps a rewind point was taken: tau."""
    return int(load_tensor_provenance(rewind)["steps"])


def begin_dense(run: Run, network: Network, classes: int, shape: tuple[int, int, int], folder: Path) -> None:
    """At the end of a run, write the ticket that level 0 begins with, ``folder/seed<s>.safetensors``: all weights at
    the rewind point."""
    about = about_dense(network, classes, shape)
    save_ticket(folder / f"seed{run.seed}.safetensors", run.network.state_dict(), ones(run.network), about)


def about_dense(network: Network, classes: int, shape: tuple[int, int, int]) -> dict[str, Any]:
    """What a ticket must say of its network."""
    return {"network": network.model_dump(), "classes": classes, "shape": list(shape)}


def without_parent(about: dict[str, Any], rewound: dict[str, Tensor]) -> Ticket:
    """The ticket of all weights at a rewind point, which a level without a parent prunes. about: ``about_dense``."""
    network = initialise(Network(**about["network"]), about["classes"], tuple(about["shape"]), seed=0)
    network.load_state_dict(rewound)
    return Ticket(network.eval(), ones(network), about)
