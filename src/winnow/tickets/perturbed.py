"""A level's training from a perturbed rewind point (Paul et al. 2023: SGD is robust to perturbations of it)."""

from pathlib import Path

from winnow.landscape.live import distance
from winnow.landscape.perturb import random_direction
from winnow.pruning.masks import apply
from winnow.tickets.files import load_ticket, save_ticket
from winnow.tickets.rewind import load_rewind_point


def begin_perturbed(level: Path, child: Path, rewind: Path, multiple: float, seed: int, path: Path) -> None:
    """Write what the perturbed training begins with, as a ticket: the level's mask, and the weights of the rewind point
    under it, moved in a random direction of the weights left. Its ``about`` has ``length``, the L2 length of the move:
    ``multiple`` times the distance from those weights to what the child's mask leaves of them.

    level, child: files of tickets, the child cut from the level; rewind: a file of ``rewind.keep_rewind_point``.
    """
    ticket, mask = load_ticket(level), load_ticket(child).mask
    begin = apply(load_rewind_point(rewind), ticket.mask)
    length = multiple * distance(begin, apply(begin, mask), list(mask))
    move = random_direction(ticket.mask, length, seed, 0)
    moved = {name: tensor + move[name] if name in move else tensor for name, tensor in begin.items()}
    about = {key: ticket.about[key] for key in ("network", "classes", "shape")}
    save_ticket(path, moved, ticket.mask, about | {"length": length})
