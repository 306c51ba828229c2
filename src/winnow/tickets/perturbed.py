"""A level's training from a perturbed rewind point (Paul et al. 2023: SGD is robust to such perturbations)."""

from pathlib import Path

from winnow.landscape.live import distance
from winnow.landscape.perturb import random_direction
from winnow.pruning.masks import apply
from winnow.tickets.files import load_ticket, save_ticket
from winnow.tickets.rewind import load_rewind_point


def begin_perturbed(level: Path, child: Path, rewind: Path, multiple: float, seed: int, path: Path) -> None:
    """Write the ticket that the perturbed training begins with: the level's mask, and the rewind point's weights under
    that mask, moved in a random direction of the remaining weights. Its ``about`` has ``length``, the L2 length of the
    move: ``multiple`` times the distance from the unmoved weights to the same weights under the child's mask.

    level, child: files of tickets; the child was pruned from the level. rewind: a file of ``rewind.keep_rewind_point``.
    """
    ticket, mask = load_ticket(level), load_ticket(child).mask
    begin = apply(load_rewind_point(rewind), ticket.mask)
    length = multiple * distance(begin, apply(begin, mask), list(mask))
    move = random_direction(ticket.mask, length, seed, 0)
    moved = {name: tensor + move[name] if name in move else tensor for name, tensor in begin.items()}
    about = {key: ticket.about[key] for key in ("network", "classes", "shape")}
    save_ticket(path, moved, ticket.mask, about | {"length": length})
