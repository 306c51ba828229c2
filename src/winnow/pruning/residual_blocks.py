"""The residual blocks of a network whose shortcut is the identity: x + f(x), where f(x) is the block's branch.

Without its branch such a block passes on its inputs. A block that changes the size of x has layers in its shortcut: it
is none of these.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge
from torch.overrides import TorchFunctionMode

from winnow.pruning.channel_groups import changed, first_line, traceable
from winnow.pruning.masks import prunable
from winnow.streams import torch_stream

Node = Any  # of autograd's graph
Edge = tuple[Node, int]  # a tensor: the node that gives it, and which of the node's outputs it is
SUMS = {torch.add, Tensor.add, Tensor.add_}  # x + y and x += y among them


@dataclass(frozen=True)
class Block:
    """The branch of a residual block. weights: the names of its prunable weights. others: the names of its parameters
    with one dimension, biases and norms. Both are in the order of the network's parameters. If all of these are zero,
    the branch is."""

    weights: tuple[str, ...]
    others: tuple[str, ...]

    def is_cut(self, mask: Mapping[str, Tensor]) -> bool:
        """Whether a mask holds the whole branch at zero."""
        return all(name in mask and not mask[name].any() for name in (*self.weights, *self.others))


def residual_blocks(network: nn.Module, example: Tensor) -> list[Block]:
    """All residual blocks with an identity shortcut, in the order of the network's parameters. The network stays as it
    is. Of blocks inside another's branch, these are found, and not the outer one.

    A block is a sum of two tensors, one of which (x) the other is computed from. All that the other is computed from,
    beside x, is the branch: at least one prunable weight, and nothing that is used elsewhere. Left out are branches
    that are not zero if their weights, biases and norms are, as sigmoid(f(x)). A test by numbers finds those.

    example: inputs of the network, of any number; only their shape and type count. Raises ValueError if the network
    cannot take them.
    """
    copied = traceable(network)
    names = {id(parameter): name for name, parameter in copied.named_parameters()}
    inputs = example.detach().clone().requires_grad_(example.is_floating_point())
    try:
        with torch.enable_grad(), _Sums() as sums:
            outputs = copied(inputs)
    except Exception as error:  # of many kinds: it meets networks that nobody has foreseen
        raise ValueError(f"the residual blocks of the network cannot be followed ({first_line(error)})") from error
    users: dict[Node, set[Node]] = defaultdict(set)
    for node in _behind(get_gradient_edge(outputs)):
        for after, _ in _edges(node):
            users[after].add(node)
    branches = []  # the number of the sum, the place of the branch among its summands, and the nodes of the branch
    for number, (summands, node) in enumerate(sums.found):
        for place, (branch, shortcut) in enumerate((summands, summands[::-1])):
            nodes = set(_behind(branch, shortcut))
            if shortcut not in _edges_of(nodes) or nodes & set(_behind(shortcut)):
                continue
            if all(users[inner] <= nodes | {node} for inner in nodes):
                branches.append((number, place, nodes))
    found: dict[tuple[int, int], Block] = {}
    taken: set[Node] = set()
    known, order = set(prunable(copied)), list(names.values())
    for number, place, nodes in sorted(branches, key=lambda branch: len(branch[2])):
        inside = {names.get(id(node.variable), "") for node in nodes if hasattr(node, "variable")}
        weights = tuple(name for name in order if name in inside & known)
        others = tuple(name for name in order if name in inside and copied.get_parameter(name).dim() == 1)
        if weights and not nodes & taken:
            found[number, place] = Block(weights, others)
            taken |= nodes
    zero = _zero_summands(copied, inputs, list(found.values()))
    left = [block for key, block in found.items() if key in zero]
    return sorted(left, key=lambda block: order.index(block.weights[0]))


@torch.no_grad()
def _zero_summands(network: nn.Module, inputs: Tensor, blocks: list[Block]) -> set[tuple[int, int]]:
    """Which summands are zero, by number of the sum and place, for noise, with the blocks' parameters at zero and all
    others changed. Changes the network."""
    draws = torch_stream(0, "scoring", 3)
    for parameter in network.parameters():  # behind a layer of zeros everything would be zero
        parameter.copy_(changed(parameter, draws))
    for name in (name for block in blocks for name in (*block.weights, *block.others)):
        network.get_parameter(name).zero_()
    if inputs.is_floating_point():
        inputs = torch.randn(inputs.shape, generator=draws).to(inputs).requires_grad_()
    with torch.enable_grad(), _Sums() as sums:
        network(inputs)
    return {(number, place) for number, flags in enumerate(sums.zero) for place, flag in enumerate(flags) if flag}


class _Sums(TorchFunctionMode):
    """Notes every sum of two tensors while entered: the edges of its summands with its own node, and which of the
    summands are zero."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[tuple[Edge, Edge], Node]] = []
        self.zero: list[tuple[bool, bool]] = []

    def __torch_function__(self, call: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        noted = call in SUMS and len(args) == 2 and all(isinstance(x, Tensor) and x.requires_grad for x in args)
        if noted:
            one, other = ((edge.node, edge.output_nr) for edge in map(get_gradient_edge, args))
            self.zero.append((not args[0].any(), not args[1].any()))
        result = call(*args, **(kwargs or {}))
        if noted:
            self.found.append(((one, other), result.grad_fn))
        return result


def _edges(node: Node) -> list[Edge]:
    """What a node is computed from."""
    return [edge for edge in node.next_functions if edge[0] is not None]


def _edges_of(nodes: set[Node]) -> set[Edge]:
    return {edge for node in nodes for edge in _edges(node)}


def _behind(start: Edge | Any, stop: Edge | None = None) -> Iterator[Node]:
    """All nodes from which a tensor is computed, its own among them, without those that only lead to ``stop``."""
    seen: set[Node] = set()
    left: list[Edge] = [(start[0], start[1])]
    while left:
        edge = left.pop()
        if edge != stop and edge[0] not in seen:
            seen.add(edge[0])
            left += _edges(edge[0])
            yield edge[0]
