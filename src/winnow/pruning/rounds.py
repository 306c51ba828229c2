"""A cut in one or several rounds, each with new scores. No training lies between them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from winnow import methods

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

    from winnow.pruning.context import Context, Scores
    from winnow.pruning.masks import Mask

    Keep = Callable[[Scores, Mapping[str, Tensor], int], Mask]  # from scores, mask and count to the mask of so many


def in_rounds(
    context: "Context",
    criterion: "Callable[[Context], Scores]",
    keep: "Keep",
    comes_back: bool = False,
    *,
    rounds: Annotated[int, Ge(1)] | None = None,
    inverted: bool = False,
) -> "Callable[[int], Mask]":
    """From how many weights remain to the mask.

    After round k of ``rounds`` (None: one), before (left / before)^(k / rounds) weights remain. The scores of the next
    round are those of the network under that mask. comes_back: whether a weight that an earlier round has pruned may
    return; it needs a criterion that scores such weights. The schedule is that of Tanaka et al. 2020 (SynFlow, alg. 1)
    and de Jorge et al. 2021 (FORCE, eq. 7). Every round uses the same images.

    inverted: keep the lowest scores, a check of Frankle et al. 2021, "Pruning neural networks at initialization: why
    are we missing the mark?", sec. 4: a criterion that is as good when inverted does not tell which weights matter.
    """

    def scored(given: "Context") -> "Scores":
        scores = criterion(given)
        return {name: -layer for name, layer in scores.items()} if inverted else scores

    if rounds is None or rounds == 1:
        once = scored(context)
        return lambda left: keep(once, context.mask, left)

    begun = context.copied()  # the caller may use the network for something else before the cut

    def cut(left: int) -> "Mask":
        from winnow.pruning.masks import count_left

        mask, before = begun.mask, max(1, count_left(begun.mask))
        for k in range(1, rounds + 1):
            now = left if k == rounds else max(left, round(before * (left / before) ** (k / rounds)))
            scores = scored(begun.under(mask))
            mask = keep(scores, begun.mask if comes_back else mask, now)
        return mask

    return cut


def usual_rounds(criterion: "Callable[..., Scores]") -> int:
    """In how many rounds a criterion is meant to be used: ROUNDS in its module, or one."""
    return int(methods.mark_of(criterion, "ROUNDS", 1))


def comes_back(criterion: "Callable[..., Scores]") -> bool:
    """Whether the criterion scores weights that an earlier round has pruned: COMES_BACK in its module."""
    return methods.has_mark(criterion, "COMES_BACK")
