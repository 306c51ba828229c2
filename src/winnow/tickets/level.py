"""What a level does: it prunes its parent's ticket and gives the survivors the weights to train from, or changes the
mask while they train."""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from winnow.landscape.batch_norm import recalibrate_on
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.adaptive import cut_most
from winnow.pruning.bias_correction import correct_biases, mean_outputs
from winnow.pruning.context import Batches, Context, Scores, batches_of
from winnow.pruning.during_level import During
from winnow.pruning.masks import Mask, apply, count_left, layer_sizes, others_of, weights_of
from winnow.pruning.patterns import patterned
from winnow.pruning.prune import left_after, may_cut, prune
from winnow.pruning.rule import Rule
from winnow.pruning.trains import freeze_others
from winnow.pruning.weights import State, States
from winnow.tickets.files import Ticket
from winnow.tickets.splits import Splits, evaluate
from winnow.training.batches import Batch, DeviceImages
from winnow.training.loop import Changes, Run, change_mask
from winnow.training.schedule import Schedule


@dataclass(frozen=True)
class Material:
    """The images that a level may use. images: the level trains on them, and criteria take gradients on them. splits:
    for measuring errors; after a cut, batch norm is recalibrated on the split ``train``."""

    images: DeviceImages
    splits: Splits


def begin_level(
    rule: Rule, parent: Ticket, rewound: State, seed: int, material: Material
) -> tuple[State, Mask, dict[str, Any]]:
    """What the training of a level begins with, as ``save_ticket`` takes it: the weights before the first step, the
    mask, and facts about both (``about``).

    ``about`` has ``after_cuts``: the errors, by split, of the parent's trained weights right after the cut, and after
    the same fraction is cut once more. It is [] if nothing was cut or trained; its second entry is {} if the floor or
    a structure does not allow a second cut. If the level changes weights to make up for the pruned ones, the first
    entry is of the changed ones, and the second is {}.

    rewound: the state at the rewind point. Raises ValueError for impossible choices.
    """
    about = {key: parent.about[key] for key in ("network", "classes", "shape")}
    state, module = parent.state_dict(), copy.deepcopy(parent.network).to(material.images.device)
    batches = batches_of(material.images, seed)

    def adapt(weights: State, mask: Mask) -> None:
        """Give the module these weights under a mask, with the statistics of batch norm that belong to them."""
        module.load_state_dict(apply(weights, mask))
        recalibrate_on(module, material.splits["train"])

    def copied() -> State:
        return {name: tensor.cpu().clone() for name, tensor in module.state_dict().items()}

    def errors(mask: Mask, on: Splits, weights: State = state) -> dict[str, float]:
        """The errors of the parent's weights, or of others, under a mask."""
        adapt(weights, mask)
        return {name: error for name, (error, _) in evaluate(module, on).items()}

    def cut(mask: Mask) -> Callable[[float], Mask]:
        """From a fraction of a mask's weights to the mask without them."""
        module.load_state_dict(apply(state, mask))
        weights = weights_of(mask)
        masked = pruned(rule, Context(module, weights, batches, seed))
        masked = rule.activating(masked, weights, state, rewound, rule.floor) if rule.activating else masked
        return lambda fraction: masked(left_after(mask, fraction)) | others_of(mask)

    _check(rule, parent, seed, cut)
    mask, before_training = parent.mask, rule.during is None or rule.moves
    if before_training and rule.max_error_rise is not None:
        every, left = sum(layer_sizes(mask).values()), count_left(mask)
        most = 1.0 if rule.min_density is None else max(0.0, 1 - rule.min_density * every / max(left, 1))
        train_split = {"train": material.splits["train"]}
        limit = errors(mask, train_split)["train"] + rule.max_error_rise
        mask = cut_most(mask, cut(mask), lambda m: errors(m, train_split)["train"], limit, rule.floor, most).mask
    elif before_training and rule.criterion:
        mask = cut(mask)(rule.fraction or 0)

    def updated() -> State:
        assert rule.update is not None
        module.load_state_dict(apply(state, parent.mask))
        found = rule.update(Context(module, weights_of(parent.mask), batches, seed), weights_of(mask))
        return state | {name: weight.cpu() for name, weight in found.items()}

    def corrected() -> State:
        def passes() -> Iterable[Batch]:
            return material.splits["train"].mixed(500)

        module.load_state_dict(apply(state, parent.mask))
        before = mean_outputs(module, passes)
        before = {name: mean for name, mean in before.items() if f"{name}.bias" not in mask}
        adapt(state, mask)
        correct_biases(module, before, passes)
        return copied()

    begun = rule.weights(States(state, rewound, lambda: _fresh(about, seed), updated, corrected))
    after_cuts = []
    if count_left(mask) < count_left(parent.mask) and rule.has_parent:
        fraction = 1 - count_left(mask) / count_left(parent.mask)
        again = rule.structure is None and not rule.makes_up and may_cut(mask, fraction, rule.floor)
        once = errors(mask, material.splits, begun if rule.makes_up else state)
        after_cuts = [once, errors(cut(mask)(fraction), material.splits) if again else {}]
    if rule.recalibrates:
        adapt(begun, mask)
        begun = copied()
    return begun, mask, about | {"after_cuts": after_cuts}


def _check(rule: Rule, parent: Ticket, seed: int, cut: Callable[[Mask], Callable[[float], Mask]]) -> None:
    """Raise ValueError for choices with which no training can begin."""
    freeze_others(copy.deepcopy(parent.network), rule.trains, parent.mask, seed)
    if rule.during:
        left = count_left(parent.mask if rule.moves else cut(parent.mask)(rule.fraction or 0))
        rule.during(During(0, 1, count_left(parent.mask), left, lambda *_: None))


def _fresh(about: dict[str, Any], seed: int) -> State:
    network, shape = Network(**about["network"]), tuple(about["shape"])
    return initialise(network, about["classes"], shape, seed, "fresh_initialisation").state_dict()


def pruned(rule: Rule, context: Context) -> Callable[[int], Mask]:
    """From how many weights remain to the mask that the rule's criterion and allocation, or its structure, give."""
    assert rule.criterion is not None
    return rule.rounds(context, rule.criterion, partial(_keep, rule, context))


def _keep(rule: Rule, context: Context, scores: Scores, mask: Mapping[str, Tensor], left: int) -> Mask:
    """The mask of the highest scores among a mask's weights, by the rule's structure or allocation."""
    if rule.structure is not None:
        return patterned(rule.structure, scores, mask, context, left, rule.allocation)
    order = [name for name, _ in context.network.named_parameters()]
    uses = context.uses() if rule.uses else None
    return prune(scores, mask, left, rule.allocation, rule.floor, rule.anywhere, order, uses)


def during(rule: Rule, schedule: Schedule, first: int, images: DeviceImages) -> Callable[[Ticket, int], Changes | None]:
    """From a ticket and a seed to what changes the mask in the training that begins with the ticket at step ``first``;
    None if the mask does not change."""

    def changes(begun: Ticket, seed: int) -> Changes | None:
        if rule.during is None:
            return None
        batches: Batches = batches_of(images, seed)

        def change(run: Run, left: int, scores: Scores | None = None) -> None:
            context = Context(run.network, weights_of(run.mask), batches, seed)
            if scores is None:
                found = pruned(rule, context)(left)
            else:
                found = _keep(rule, context, scores, weights_of(begun.mask), left)
            change_mask(run, found | others_of(run.mask))

        before = count_left(begun.mask)
        after = before if rule.moves else left_after(begun.mask, rule.fraction or 0)
        return rule.during(During(first, schedule.total, before, after, change))

    return changes
