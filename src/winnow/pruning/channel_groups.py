"""The channels of a network, in groups of layers that share them.

A channel is a row of the weights of each layer that writes it, and a column of the weights of each layer that reads it.
A residual sum couples layers: all that write to it share their channels. torch-pruning follows the channels through the
network (Fang et al. 2023, "DepGraph: towards any structural pruning", sec. 3).
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from winnow.pruning.masks import Mask
from winnow.streams import torch_stream


@dataclass(frozen=True, eq=False)
class Part:
    """One layer's part of a group. weight: the name of its weights, [out, in, ...]. places: its rows (of a layer that
    writes) or columns (of one that reads) that belong to the group, int64 [m]. channels: the channel of each place,
    int64 [m]. A linear layer after a flattened image reads each channel at several places."""

    weight: str
    places: np.ndarray
    channels: np.ndarray


@dataclass(frozen=True, eq=False)
class Group:
    """Channels, numbered from 0 to size - 1, with all layers that write and that read them. The first writer has the
    channels in order. place: of the first writer among the network's parameters."""

    size: int
    writers: tuple[Part, ...]
    readers: tuple[Part, ...]
    place: int

    @property
    def name(self) -> str:
        """The name of the first writer's weights."""
        return self.writers[0].weight


def dependency_graph(network: nn.Module, example: Tensor) -> Any:
    """torch-pruning's graph of a network, which it puts into evaluation mode. The parameters need gradients on.

    example: inputs of the network, of any number. Raises ValueError if the network cannot take them, or the graph is
    beyond torch-pruning.
    """
    import torch_pruning

    with torch.enable_grad():
        try:
            return torch_pruning.DependencyGraph().build_dependency(
                network, example, forward_fn=lambda module, inputs: module(inputs), verbose=False
            )
        except Exception as error:  # of many kinds: it meets networks that nobody has foreseen
            raise ValueError(f"the channels of the network cannot be followed ({first_line(error)})") from error


def first_line(error: Exception) -> str:
    """What went wrong, in one line."""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def traceable(network: nn.Module) -> nn.Module:
    """A copy that ``dependency_graph`` can take."""
    return copy.deepcopy(network).eval().requires_grad_(True)


def channel_groups(network: nn.Module, example: Tensor) -> list[Group]:
    """All groups of channels that can be removed, in the order of the network's parameters. The network stays as it is.

    example: inputs of the network, of any number; only their shape and type count. The outputs of the network are no
    channels, nor are its inputs. Left out are channels of convolutions in groups (other than depthwise ones), and
    channels that reach the outputs in another way than through a convolution or a linear layer, so that they cannot be
    removed alone: through layer norm, group norm, attention, or a change of their order. A test by numbers finds those:
    without its columns, no row of a group may change the outputs.
    """
    copied = traceable(network)
    found, draws = _found(dependency_graph(copied, example), copied), torch_stream(0, "scoring", 3)
    noise = torch.randn(example.shape, generator=draws).to(example.device, example.dtype)
    with torch.no_grad():
        for parameter in copied.parameters():  # behind a layer of zeros nothing would show
            parameter.copy_(changed(parameter, draws))
    if not _alone(copied, found, noise, draws):
        found = [group for group in found if _alone(copied, [group], noise, draws)]
    return sorted(found, key=lambda group: group.place)


def norms_after(network: nn.Module, example: Tensor) -> dict[str, str]:
    """The name of the batch norm that takes a layer's outputs directly, by the name of the layer's weights."""
    copied = traceable(network)
    graph, names = dependency_graph(copied, example), _names(copied)
    found = {}
    for layer, node in graph.module2node.items():
        after = [out.module for out in node.outputs]
        if len(after) == 1 and isinstance(after[0], nn.modules.batchnorm._BatchNorm) and layer in names:
            found[f"{names[layer]}.weight"] = names[after[0]]
    return found


def clear(mask: Mask, parts: Iterable[Part], dim: int, gone: np.ndarray) -> None:
    """Prune channels, bool [size], from the parts' rows (dim 0) or columns (dim 1) of a mask, in place."""
    for part in parts:
        where = torch.from_numpy(part.places[gone[part.channels]])
        mask[part.weight].index_fill_(dim, where, False)


def _names(network: nn.Module) -> dict[nn.Module, str]:
    return {module: name for name, module in network.named_modules()}


def _found(graph: Any, network: nn.Module) -> list[Group]:
    """The groups of the graph that some layer reads."""
    names, groups = _names(network), []
    order = {name: place for place, (name, _) in enumerate(network.named_parameters())}
    for found in graph.get_all_groups():
        writers: list[Part] = []
        readers: list[Part] = []
        sound = True
        for item in found.items:
            layer = item.dep.target.module
            if not isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
                continue
            depthwise = isinstance(layer, nn.modules.conv._ConvNd) and layer.groups == layer.out_channels > 1
            sound &= isinstance(layer, nn.Linear) or (not layer.transposed and (layer.groups == 1 or depthwise))
            sorting = np.argsort(item.idxs, kind="stable")
            places, channels = np.array(item.idxs)[sorting], np.array(item.root_idxs)[sorting]
            writes = depthwise or graph.is_out_channel_pruning_fn(item.dep.handler)
            (writers if writes else readers).append(Part(f"{names[layer]}.weight", places, channels))
        if sound and readers:
            place = min(order[part.weight] for part in writers)
            groups.append(Group(len(found[0].idxs), tuple(writers), tuple(readers), place))
    return groups


@torch.no_grad()
def _alone(network: nn.Module, groups: list[Group], inputs: Tensor, draws: torch.Generator) -> bool:
    """Whether half of each group's channels, with nothing that reads them, leave the outputs as they are when other
    weights write them."""
    parts = [part for group in groups for part in (*group.writers, *group.readers)]
    kept = {part.weight: network.get_parameter(part.weight).clone() for part in parts}

    def change(part: Part, dim: int, new: Callable[[Tensor], Tensor]) -> None:
        weight = network.get_parameter(part.weight)
        where = torch.from_numpy(part.places[part.channels % 2 == 0]).to(weight.device)
        weight.index_copy_(dim, where, new(weight.index_select(dim, where)))

    for part in (part for group in groups for part in group.readers):
        change(part, 1, torch.zeros_like)
    before = network(inputs)
    for part in (part for group in groups for part in group.writers):
        change(part, 0, lambda rows: changed(rows, draws))
    after = network(inputs)
    for name, weight in kept.items():
        network.get_parameter(name).copy_(weight)
    return torch.allclose(after, before, rtol=0, atol=1e-5 * float(before.abs().max()))


def changed(weights: Tensor, draws: torch.Generator) -> Tensor:
    """Other weights of about the same size, for a test by numbers."""
    return weights + torch.randn(weights.shape, generator=draws).to(weights) * (weights.std(correction=0) + 0.01)
