"""A ticket as a file: a sparse network, its mask, and the facts needed to build the network."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from winnow.errors import UserError
from winnow.networks import initialise
from winnow.params.base import validate
from winnow.params.training import Network
from winnow.pruning.masks import Mask, apply, count_left, density, ones, pack, unpack
from winnow.pruning.multiplications import multiplications, positions
from winnow.storage import load_tensor_provenance, load_tensors, save_tensors
from winnow.training.checkpoint import load_network


@dataclass(frozen=True, eq=False)
class Ticket:
    """A sparse network.

    network: on the CPU, in evaluation mode, its pruned weights exactly zero; mask: bool tensors by the names of the
    prunable parameters, True where the weight remains (``pruning.masks``); about: where it comes from (network,
    classes, shape, …).
    """

    network: nn.Module
    mask: Mask
    about: dict[str, Any]

    def state_dict(self, prune: bool = False) -> dict[str, Tensor]:
        """The network's state dict, with the mask applied.

        prune: use the names of ``torch.nn.utils.prune``: every prunable ``NAME`` becomes ``NAME_orig`` and
        ``NAME_mask``, of ones and zeros. Prune these parameters of a network first, say by ``prune.identity``; then it
        can load the dict, and keeps to the mask in further training. torch computes a layer's weight from the two when
        the layer is next called, or on ``prune.remove``. An ``nn.MultiheadAttention`` reads its ``out_proj`` without
        calling it, so ``out_proj`` needs ``prune.remove`` before the network is used.
        """
        state = dict(self.network.state_dict())
        if prune:
            for name, layer in self.mask.items():
                state[f"{name}_orig"] = state.pop(name)
                state[f"{name}_mask"] = layer.to(state[f"{name}_orig"].dtype)
        return state


def save_ticket(
    path: str | Path, state: Mapping[str, Tensor], mask: Mapping[str, Tensor], about: dict[str, Any]
) -> None:
    """Write a network's state dict with its mask applied, the mask, and ``about`` as one safetensors file.

    about: json values. ``load_ticket`` builds the network from ``network`` ({"name": …, "width": …}), ``classes`` and
    ``shape`` (channels, height, width of an image), so these must be there. ``weights_left`` and ``density`` are added.
    """
    missing = {"network", "classes", "shape"} - about.keys()
    if missing:
        raise ValueError(f"a ticket cannot be loaded without its {', '.join(sorted(missing))}")
    tensors = {f"network.{name}": tensor for name, tensor in apply(state, mask).items()}
    counted = {"weights_left": count_left(mask), "density": density(mask)}
    save_tensors(path, tensors | pack(mask), about | counted)


def load_ticket(path: str | Path) -> Ticket:
    """Read a ticket of the pipeline.

    Raises UserError if the file is missing or damaged, or is not a ticket.
    """
    about = load_tensor_provenance(path)
    if not {"network", "classes", "shape"} <= about.keys():
        raise UserError(f"{path}: not a ticket: it does not name its network")
    params = validate(Network, about["network"], path, ("network",))
    tensors = load_tensors(path)
    try:
        largest = max(size for tensor in tensors.values() for size in tensor.shape)
        if max(about["classes"], params.width or 0) > largest:  # it would take memory before the weights did not fit
            raise ValueError(f"its network is larger than its weights, which have {largest} rows at most")
        network = initialise(params, about["classes"], tuple(about["shape"]), seed=0)  # every weight is then replaced
        load_network(network, tensors)
        mask = unpack(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{path}: not a ticket that this version can read ({str(error).splitlines()[0]})") from None
    return Ticket(network.eval(), mask, about)


def multiplications_left(ticket: Ticket) -> float:
    """The fraction of the multiplications by prunable weights, for one image, that the ticket's mask keeps."""
    used = positions(ticket.network, torch.zeros(1, *ticket.about["shape"]))
    return multiplications(ticket.mask, used) / multiplications(ones(ticket.network), used)
