"""A network without the channels that a mask has pruned."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from winnow.direct.pruning import fitting
from winnow.pruning.channel_groups import Group, channel_groups, clear, dependency_graph, traceable
from winnow.pruning.masks import Mask, apply


def smaller(network: nn.Module, mask: Mapping[str, Tensor], example: Tensor) -> nn.Module:
    """A copy of the network without its dead channels: it gives the same outputs, and is smaller and faster.

    A channel is dead if no weight that remains reads it, in any of the layers that share it; then nothing depends on
    what batch norm or a bias makes of it, and no constant has to be added elsewhere. ``structure: channels`` makes such
    masks. A channel that nothing writes, but that some weight reads, stays: behind a batch norm or a bias it is a
    constant. Single weights that are pruned stay too, as zeros. So do one channel in every group of layers, and the
    channels that ``pruning.channel_groups`` leaves out. torch-pruning removes the channels (Fang et al. 2023,
    "DepGraph: towards any structural pruning").

    mask: as ``winnow.prune`` or a ticket gives it. example: inputs of the network, [n, ...], on its device. The copy is
    an ordinary network, in the mode of the given one. Its ``state_dict`` fits what this function makes of an untrained
    network of the same kind with the same mask.

    Raises ValueError if the mask does not fit, if the network cannot be followed, or if the copy does not give the same
    outputs for the example (to 1e-4 of their size), as where ``forward`` has a number of channels written in it.
    """
    known = fitting(network, mask)
    left = {name: kept.cpu().clone() for name, kept in known.items()}
    copied = traceable(network)
    copied.load_state_dict(apply(copied.state_dict(), known))
    groups = [group for group in channel_groups(copied, example) if all(part.weight in left for part in group.readers)]
    with torch.no_grad():
        before = copied(example)
    _remove(copied, example, groups, _dead(groups, left))
    try:
        with torch.no_grad():
            after = copied(example)
        error = float((after - before).abs().max() / before.abs().max().clamp_min(1e-6))
    except RuntimeError as problem:
        raise ValueError(f"network: does not run without its dead channels: {str(problem).splitlines()[0]}") from None
    if not error < 1e-4:
        raise ValueError(f"network: without its dead channels its outputs differ by {error:.0e} of their size")
    return _as_given(copied, network)


def _dead(groups: list[Group], left: Mask) -> list[np.ndarray]:
    """Which channels of each group nothing reads, bool [size]. Prunes their weights from ``left``: then what only they
    have read is dead as well."""
    dead = [np.zeros(group.size, bool) for group in groups]
    changed = True
    while changed:
        changed = False
        for group, gone in zip(groups, dead, strict=True):
            read = np.zeros(group.size, bool)
            for part in group.readers:
                columns = left[part.weight].transpose(0, 1).flatten(1).any(1).numpy()
                read[part.channels[columns[part.places]]] = True
            if not read.any():
                read[0] = True  # no layer can be empty
            if (~read & ~gone).any():
                gone[~read] = True
                clear(left, [part for part in group.writers if part.weight in left], 0, gone)
                changed = True
    return dead


def _remove(network: nn.Module, example: Tensor, groups: list[Group], dead: list[np.ndarray]) -> None:
    graph = dependency_graph(network, example)
    for group, gone in zip(groups, dead, strict=True):
        if gone.any():
            layer = network.get_submodule(group.name.rpartition(".")[0])
            prune = graph.get_pruner_of_module(layer).prune_out_channels
            graph.get_pruning_group(layer, prune, np.flatnonzero(gone).tolist()).prune()


def _as_given(copied: nn.Module, network: nn.Module) -> nn.Module:
    """The copy with the modes of the network's layers, and the same parameters fixed."""
    for module, given in zip(copied.modules(), network.modules(), strict=True):
        module.training = given.training
    for parameter, before in zip(copied.parameters(), network.parameters(), strict=True):
        parameter.requires_grad_(before.requires_grad)
    return copied
