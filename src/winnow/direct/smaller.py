"""A network without the channels and the residual blocks that a mask has pruned."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from winnow.direct.pruning import fitting
from winnow.pruning.channel_groups import Group, channel_groups, clear, dependency_graph, traceable
from winnow.pruning.masks import Mask, apply
from winnow.pruning.residual_blocks import Block, residual_blocks


def smaller(network: nn.Module, mask: Mapping[str, Tensor], example: Tensor) -> nn.Module:
    """A copy of the network without its dead channels and its cut residual blocks: it gives the same outputs, and is
    smaller and faster.

    A channel is dead if no weight that remains reads it, in any of the layers that share it; then nothing depends on
    what batch norm or a bias makes of it, and no constant has to be added elsewhere. ``structure: channels`` makes such
    masks. A channel that nothing writes, but that some weight reads, stays: behind a batch norm or a bias it is a
    constant. Single weights that are pruned stay too, as zeros. So do one channel in every group of layers, and the
    channels that ``pruning.channel_groups`` leaves out. torch-pruning removes the channels (Fang et al. 2023,
    "DepGraph: towards any structural pruning").

    A residual block is cut if the mask holds its whole branch at zero, biases and norms included, as the masks of
    ``structure: blocks`` do. Each layer of the branch becomes one without parameters that gives a single zero, so that
    the sum of the block adds nothing.

    mask: as ``winnow.prune`` or a ticket gives it. example: inputs of the network, [n, ...], on its device. The copy is
    an ordinary network, in the mode of the given one. Its ``state_dict`` fits what this function makes of an untrained
    network of the same kind with the same mask.

    Raises ValueError if the mask does not fit, if the network cannot be followed, or if the copy does not give the same
    outputs for the example (to 1e-4 of their size), as where ``forward`` has a number of channels written in it, or
    gives the tensors of a branch another shape.
    """
    known = fitting(network, mask)
    copied = traceable(network)
    copied.load_state_dict(apply(copied.state_dict(), known))
    left = {name: kept.cpu().clone() for name, kept in known.items()}
    groups = [group for group in channel_groups(copied, example) if all(part.weight in left for part in group.readers)]
    emptied = not all(bool(kept.any()) for kept in left.values())
    blocks = [block for block in residual_blocks(copied, example) if block.is_cut(known)] if emptied else []
    _compare(copied, example, "dead channels", lambda: _remove(copied, example, groups, _dead(groups, left)))
    if blocks:
        _compare(copied, example, "cut blocks", lambda: _cut(copied, blocks, example))
    return _as_given(copied, network)


@torch.no_grad()
def _compare(network: nn.Module, example: Tensor, parts: str, remove: Callable[[], None]) -> None:
    """Remove parts of the network. Raises ValueError if its outputs for the example change."""
    before = network(example)
    with torch.enable_grad():
        remove()
    try:
        after = network(example)
        error = float((after - before).abs().max() / before.abs().max().clamp_min(1e-6))
    except (AttributeError, RuntimeError) as problem:
        raise ValueError(f"network: does not run without its {parts}: {str(problem).splitlines()[0]}") from None
    if not error < 1e-4:
        raise ValueError(f"network: without its {parts} its outputs differ by {error:.0e} of their size")


class _Zero(nn.Module):
    """In place of a layer of a cut branch. It gives a single zero, of as many dimensions as its input, or, if ``full``
    is set, zeros of the shape of the layer's outputs, on the assumption that height and width stay."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.full, self.pair = False, isinstance(layer, nn.MultiheadAttention)
        widths = ((1, "out_channels"), (-1, "out_features"))
        self.widths = {dim: int(getattr(layer, name)) for dim, name in widths if hasattr(layer, name)}

    def forward(self, inputs: Tensor, *_others: Any, **_options: Any) -> Tensor | tuple[Tensor, None]:
        shape = list(inputs.shape) if self.full else [1] * inputs.dim()
        for dim, width in self.widths.items() if self.full else ():
            shape[dim] = width
        zeros = inputs.new_zeros(shape)
        return (zeros, None) if self.pair else zeros


@torch.no_grad()
def _cut(network: nn.Module, blocks: list[Block], example: Tensor) -> None:
    """Replace the layers of the blocks' branches. A module that also holds other modules stays: it may be the block
    itself, which owns a scale of its branch. Single zeros cost nothing, but nothing can be added to them in place."""
    for block in blocks:
        own: set[str] = {*block.weights, *block.others}
        pairs: tuple[str, ...] = ()
        for name in sorted({name.rpartition(".")[0] for name in own}):
            if name.startswith(pairs):
                continue  # a layer of an attention that is gone
            layer = network.get_submodule(name)
            pair = isinstance(layer, nn.MultiheadAttention)
            whole = {f"{name}.{parameter}" for parameter, _ in layer.named_parameters()} <= own
            if whole and (pair or not list(layer.children())):
                network.set_submodule(name, _Zero(layer))
                pairs += (f"{name}.",) if pair else ()
    try:
        network(example)
    except (AttributeError, RuntimeError):
        for layer in network.modules():
            if isinstance(layer, _Zero):
                layer.full = True


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
    for name, module in copied.named_modules():
        module.training = network.get_submodule(name).training
    for name, parameter in copied.named_parameters():
        parameter.requires_grad_(network.get_parameter(name).requires_grad)
    return copied
