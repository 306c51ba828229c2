"""What a level begins with: its parent's ticket is cut, and the survivors are given the weights to train from."""

from pathlib import Path

from winnow.landscape.batch_norm import reestimate
from winnow.networks import initialise
from winnow.params.imp import Level
from winnow.params.training import Network
from winnow.tickets.cut import cut_smallest, may_cut
from winnow.tickets.files import load_ticket, save_ticket
from winnow.tickets.masks import Mask, apply, count_left
from winnow.tickets.rewind import load_rewind_point
from winnow.tickets.train import Parts, evaluate
from winnow.tickets.variants import VARIANTS, Parent, State


def begin_level(
    level: Level,
    floor: int,
    seed: int,
    parent: Path,
    rewind: Path,
    parts: Parts,
    path: Path,
) -> None:
    """Cut the parent's ticket and write what the level's training begins with, as a ticket: the mask, and the weights
    before the first step. Its ``about`` has ``after_cuts``: the errors, by part, of the parent's trained weights right
    after the cut, and after cutting the same share once more; [] if nothing was cut, and {} where the floor leaves no
    room for the second.

    parent: the file of a ticket; rewind: a file of ``rewind.keep_rewind_point``. On the part ``train`` the adaptive cut
    measures its error, and batch norm's statistics are estimated again after a cut.
    """
    ticket, rule = load_ticket(parent), VARIANTS[level.variant]
    about = {key: ticket.about[key] for key in ("network", "classes", "shape")}
    state = {name: tensor.clone() for name, tensor in ticket.state_dict().items()}  # the module changes below
    train_part, shape = parts["train"], ticket.about["shape"]
    module = ticket.network.to(train_part.device)

    def fresh(seed: int) -> State:
        of_seed = initialise(Network(**about["network"]), about["classes"], shape, seed, "fresh_initialisation")
        return of_seed.state_dict()

    def errors(mask: Mask, on: Parts) -> dict[str, float]:
        """Of the parent's trained weights under a mask."""
        module.load_state_dict(apply(state, mask))
        reestimate(module, train_part)
        return {name: error for name, (error, _) in evaluate(module, on).items()}

    given = Parent(
        state=state,
        mask=ticket.mask,
        rewound=load_rewind_point(rewind),
        initial=fresh,
        error_of=lambda mask: errors(mask, {"train": train_part})["train"],
        seed=seed,
    )
    mask = rule.mask(given, level, floor)
    after_cuts = []
    if count_left(mask) < count_left(ticket.mask):
        share = 1 - count_left(mask) / count_left(ticket.mask)
        again = may_cut(mask, share, floor)
        after_cuts = [errors(mask, parts), errors(cut_smallest(state, mask, share, floor), parts) if again else {}]
    save_ticket(path, rule.weights(given), mask, about | {"after_cuts": after_cuts})
