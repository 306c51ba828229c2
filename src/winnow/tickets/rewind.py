"""Rewind points: networks a few steps into their training, and the level 0 that begins at one."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from winnow.networks import initialise
from winnow.params.training import Network, Training
from winnow.storage import load_tensor_provenance, load_tensors, save_tensors
from winnow.tickets.files import save_ticket
from winnow.tickets.masks import ones
from winnow.training.batches import DeviceImages
from winnow.training.checkpoint import load_network
from winnow.training.loop import finish, start, train
from winnow.training.schedule import Schedule
from winnow.training.workers import Tick


def reach_rewind_points(
    seeds: Iterable[int],
    images: DeviceImages,
    classes: int,
    network: Network,
    training: Training,
    plan: Schedule,
    folder: Path,
    tick: Tick,
) -> None:
    """Train fresh networks to the end of the plan and keep ``folder/seed<s>/network.safetensors``: weights and
    batch-norm state, with the number of steps as its provenance.

    Interrupted, the same call goes on from the last finished epoch, and ends in the same bytes.
    """
    folders = {seed: folder / f"seed{seed}" for seed in seeds}
    runs = [
        start(seed, initialise(network, classes, images.shape, seed), training, images.device, path)
        for seed, path in folders.items()
        if not path.exists()
    ]
    for _ in train(runs, images, training, plan, tick):
        pass
    for run in runs:
        state = {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
        save_tensors(run.working / "network.safetensors", state, {"steps": plan.total})
        finish(run)


def load_rewind_point(rewind: Path) -> dict[str, Tensor]:
    """The state dict that ``reach_rewind_points`` kept."""
    prefix = "network."
    return {name.removeprefix(prefix): torch.from_numpy(tensor) for name, tensor in load_tensors(rewind).items()}


def rewind_step(rewind: Path) -> int:
    """After how many steps a rewind point was taken: tau."""
    return int(load_tensor_provenance(rewind)["steps"])


def begin_dense(rewind: Path, network: Network, classes: int, images: DeviceImages, path: Path) -> None:
    """Write what level 0 begins with, as a ticket: all weights, as they are at the rewind point."""
    module = initialise(network, classes, images.shape, seed=0)
    load_network(module, load_tensors(rewind))
    about = {"network": network.model_dump(), "classes": classes, "shape": list(images.shape)}
    save_ticket(path, module.state_dict(), ones(module), about)
