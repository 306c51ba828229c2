"""The training of several seeds, shared out evenly to the processes that train side by side."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from winnow.training.device import together, workers
from winnow.training.loop import finished_epochs, working_folder
from winnow.training.schedule import Schedule
from winnow.training.workers import Tick, side_by_side


@dataclass(frozen=True)
class Part:
    """The epochs from ``begin`` to ``end``, counted as finished ones, of one seed, or of several that train as one."""

    seeds: tuple[int, ...]
    begin: int
    end: int


def train_seeds(
    work: Callable[[Part, Tick], None],
    seeds: Sequence[int],
    folder: Path,
    plan: Schedule,
    device: torch.device,
    label: str,
    first: int = 0,
) -> None:
    """Call ``work(part, tick)`` for parts that together train every seed from the plan's step ``first`` to its end,
    side by side.

    ``work`` trains with ``loop.train``, to the part's end, runs whose folder is ``folder/seed<s>``, and finishes those
    that are at the end of the plan. Where it begins is where the last save was; if that is before the part's begin,
    another process is still at work on it, and ``train_seeds`` has waited for it before it calls ``work``.

    What an interrupted call has done is not done again; how the epochs are shared out changes no bytes.
    """
    folders = {seed: folder / f"seed{seed}" for seed in seeds}
    begin = first // plan.epoch
    done = {seed: finished_epochs(working_folder(path)) or begin for seed, path in folders.items() if not path.exists()}

    def once_begun(part: Part, tick: Tick) -> None:
        while part.begin > begin and any(finished_epochs(working_folder(folders[s])) < part.begin for s in part.seeds):
            time.sleep(0.05)
        work(part, tick)

    groups = together(list(done), device)
    alone = all(len(group) == 1 for group in groups)
    parts = cut(done, plan.epochs, workers(device)) if alone else [Part(tuple(g), begin, plan.epochs) for g in groups]
    steps = len(seeds) * (plan.total - first)
    left = sum(plan.total - max(first, plan.until(epochs).total) for epochs in done.values())
    side_by_side(once_begun, parts, workers(device), steps, label, done=steps - left)


def cut(done: Mapping[int, int], epochs: int, processes: int) -> list[Part]:
    """The epochs that are left of every seed, in parts of which each process takes the next when it has done with one.

    done: finished epochs of ``epochs``, by seed. This is the wrap-around rule of McNaughton 1959 ("Scheduling with
    deadlines and loss functions", theorem 3.1): the seeds' epochs are laid end to end and cut into one equal share for
    each process. Where a cut meets a seed, its first part opens one share and its last part closes another, so that the
    one is over before the other is due. Seeds with as many epochs left as each other are then done in the shortest time
    there is: five seeds on two processes in 2.5 times that of one, not 3.
    """
    left = {seed: epochs - begun for seed, begun in done.items()}
    share = max(math.ceil(sum(left.values()) / processes), *left.values(), 0)
    first, whole, last = [], [], []
    room = share
    for seed, begun in done.items():
        if left[seed] <= room:
            whole.append(Part((seed,), begun, epochs))
            room = room - left[seed] or share
        else:
            middle = epochs - room
            first.append(Part((seed,), begun, middle))
            last.append(Part((seed,), middle, epochs))
            room = share - (middle - begun)
    # whoever waits for a first part must not be in its way, and long parts first leave little to wait for at the end
    return [part for kind in (first, whole, last) for part in sorted(kind, key=lambda part: part.begin - part.end)]
