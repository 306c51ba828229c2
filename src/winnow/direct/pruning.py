"""Prune your own network, and hold the pruned weights at zero while your own loop trains it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from winnow import methods
from winnow.direct.loader import Loader, examples
from winnow.networks.weights import misfit
from winnow.params.options import checked_options
from winnow.params.options import options as options_of
from winnow.pruning import masks
from winnow.pruning.context import Context, Scores
from winnow.pruning.families import ALLOCATIONS, CRITERIA, STRUCTURES
from winnow.pruning.masks import Mask, apply, ones, others_of, weights_of
from winnow.pruning.patterns import counts_with, patterned, takes_prune
from winnow.pruning.prune import left_after, may_cut
from winnow.pruning.prune import prune as prune_scored
from winnow.pruning.rounds import comes_back, in_rounds, usual_rounds
from winnow.training.held import pruned_by, zero

WEIGHTS = "weights"  # the structure of single weights


def prune(
    network: nn.Module,
    fraction: float | None,
    mask: Mapping[str, Tensor] | None = None,
    criterion: str = "magnitude",
    loader: Loader | None = None,
    **options: Any,
) -> Mask:
    """Set this fraction of the weights to zero, those with the lowest scores, and return the mask of the others.

    The mask has bool tensors, on the CPU, by the names of the pruned parameters: the weights of convolutions and linear
    layers; with ``structure="blocks"``, the biases and norms of the cut blocks, too. mask: the result of an earlier
    call; the fraction is then of the weights that it keeps. criterion: how weights are scored: magnitude, random, snip,
    …, a file in ``winnow/pruning/criteria/``, which says its options. A call with magnitude is one level of iterative
    magnitude pruning (Frankle and Carbin 2019). loader: batches (inputs, labels). A criterion that takes gradients uses
    the first ``batches`` x ``batch_size`` examples; the allocation multiplications, and the structures channels and
    blocks, use one, to follow it through the network.

    Further options: allocation (global), a file in ``winnow/pruning/allocations/``: how many weights each layer keeps,
    and the options of that; structure (weights), a file in ``winnow/pruning/structures/``: the pattern that the
    remaining weights form, and the options of that; floor (1): how many weights every layer keeps, unless a structure
    says it; seed (0): of random draws; rounds: in how many rounds to prune, each with new scores (by default as many as
    the criterion is meant for); inverted (False): keep the lowest scores, as a check. The structures n_of_m and blocks
    say themselves how much they prune: with them the fraction is None.

    Raises ValueError if the fraction is not from 0 to 1, if it leaves a layer fewer weights than its floor, if the mask
    does not fit, and for unknown names and options.
    """
    known = ones(network) if mask is None else fitting(network, mask)
    left = weights_of(known)
    floor, seed, allocation = (options.pop(*usual) for usual in (("floor", 1), ("seed", 0), ("allocation", "global")))
    structure = options.pop("structure", WEIGHTS)
    score, allocate, pattern, rounds = _methods(criterion, allocation, structure, options)
    if pattern is not None and not takes_prune(pattern):
        if fraction is not None:
            raise ValueError(f"fraction: structure {structure} says itself how much it prunes; give None")
    elif fraction is None or not 0 <= fraction <= 1:
        raise ValueError(f"fraction: {fraction}: must be from 0 to 1, the fraction of the weights to set to zero")
    elif pattern is None and not may_cut(left, fraction, floor):
        raise ValueError(f"fraction: {fraction} leaves fewer weights than each of {len(left)} layers keeps ({floor})")
    context = Context(network, left, lambda count, size: examples(loader, network, count, size), seed)
    order = [name for name, _ in network.named_parameters()]
    uses = context.uses() if methods.has_mark(methods.find(ALLOCATIONS, allocation), "USES") else None

    def keep(scores: Scores, among: Mapping[str, Tensor], count: int) -> Mask:
        if pattern is None:
            return prune_scored(scores, among, count, allocate, floor, order=order, uses=uses)
        return patterned(pattern, scores, among, context, count, allocate)

    found = rounds(context, score, keep)(left_after(left, fraction or 0)) | others_of(known)
    _zero(_pruned(network, found))
    return found


def _methods(
    criterion: str, allocation: str, structure: str, given: Mapping[str, Any]
) -> tuple[Callable[..., Any], Callable[..., Any], "partial[Mask] | None", Callable[..., Any]]:
    """The functions of a criterion, an allocation, a structure (None for single weights) and the rounds, each with its
    options filled in."""
    chosen = {"criterion": (CRITERIA, criterion), "allocation": (ALLOCATIONS, allocation)}
    chosen |= {"structure": (STRUCTURES, structure)} if structure != WEIGHTS else {}
    functions: dict[str, Callable[..., Any]] = {}
    for argument, (family, name) in chosen.items():
        try:
            functions[argument] = methods.find(family, name)
        except ValueError as error:
            also = f", or {WEIGHTS}" if argument == "structure" else ""
            raise ValueError(f"{argument}: {error}{also}") from None
    pattern = functions.get("structure")
    if methods.has_mark(functions["allocation"], "ANYWHERE"):
        raise ValueError(f"allocation: {allocation} takes no fraction; take another")
    if pattern is None and methods.has_mark(functions["allocation"], "ONLY_CHANNELS"):
        raise ValueError(f"allocation: {allocation} counts channels: give structure='channels', or another")
    if pattern and allocation != "global" and not counts_with(pattern, functions["allocation"]):
        raise ValueError(f"allocation: structure {structure} takes no {allocation}; leave it out")
    if pattern and not takes_prune(pattern) and given.get("rounds", 1) != 1:
        raise ValueError(f"rounds: structure {structure} takes none; leave it out")
    found = checked_options([*functions.values(), in_rounds], given)
    several = pattern is None or takes_prune(pattern)
    found["rounds"] = found["rounds"] or (usual_rounds(functions["criterion"]) if several else 1)

    def bound(function: Callable[..., Any]) -> "partial[Any]":
        return partial(function, **{name: found[name] for name in options_of(function)})

    rounds = partial(bound(in_rounds), comes_back=comes_back(functions["criterion"]))
    return bound(functions["criterion"]), bound(functions["allocation"]), bound(pattern) if pattern else None, rounds


def hold(network: nn.Module, mask: Mapping[str, Tensor], optimizer: torch.optim.Optimizer) -> RemovableHandle:
    """Set the pruned weights to zero now and after every step of the optimizer, until you call ``remove()`` of the
    handle that this returns (or a ``with`` block ends). The network must be on its device already.

    Raises ValueError if the mask does not fit the network.
    """
    pruned = _pruned(network, fitting(network, mask))
    _zero(pruned)
    return optimizer.register_step_post_hook(lambda *_: _zero(pruned))


def rewind(network: nn.Module, state: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> None:
    """Load a saved state dict, such as one from early in training, with the pruned weights at zero.

    (Save it as ``copy.deepcopy(network.state_dict())``: without the copy, training would change it.)

    Raises ValueError if the state or the mask does not fit the network.
    """
    if wrong := misfit(network, state):
        raise ValueError(f"state: does not fit the network: {wrong}")
    network.load_state_dict(apply(state, fitting(network, mask)))


def density(mask: Mapping[str, Tensor]) -> float:
    """The fraction of the prunable weights that the mask keeps."""
    return masks.density(mask)


def fitting(network: nn.Module, mask: Mapping[str, Tensor]) -> Mask:
    """The mask as a dict. Raises ValueError if a name or shape in it fits no parameter of the network."""
    shapes = {name: parameter.shape for name, parameter in network.named_parameters()}
    for name, layer in mask.items():
        if layer.dtype != torch.bool or shapes.get(name) != layer.shape:
            raise ValueError(f"mask: {name} ({layer.dtype} {list(layer.shape)}) fits no parameter of the network")
    return dict(mask)


def _pruned(network: nn.Module, mask: Mask) -> list[tuple[nn.Parameter, Tensor]]:
    weights = [(network.get_parameter(name), kept) for name, kept in mask.items()]
    return [(weight, pruned_by(kept, weight)) for weight, kept in weights]


@torch.no_grad()
def _zero(pruned: list[tuple[nn.Parameter, Tensor]]) -> None:
    for weight, where in pruned:
        zero(weight, where)
