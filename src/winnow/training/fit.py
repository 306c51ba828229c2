"""One way to train: a task says what to train on which images, and hooks say what to keep."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from winnow.networks import starting
from winnow.params.training import Network, Training
from winnow.progress import Bar
from winnow.training.batches import DeviceImages
from winnow.training.device import together, workers
from winnow.training.distillation import Teaching
from winnow.training.loop import Beginning, Epoch, Run, Watch, finish, start, train, train_epoch
from winnow.training.plan import Plan
from winnow.training.schedule import Schedule
from winnow.training.several_devices import share
from winnow.training.workers import Tick, one_thread, side_by_side

if TYPE_CHECKING:  # torch.distributed is for several devices only
    from winnow.training.shared import Share

Hook = Callable[[Run], None]


@dataclass(frozen=True)
class Task:
    """What to train, and on which images.

    begin: a function from a seed to what its run begins with. step: the step of the schedule where every run begins,
    without momentum; from there on, its data are the same as for a run from step 0. one_epoch: what an epoch of
    training is; by default one of classification. taught: from a seed to what a teacher of its own says of the images.
    watch: what looks at every run between its steps; of several processes that share a run, only in the leader.
    """

    images: DeviceImages
    training: Training
    schedule: Schedule
    begin: Callable[[int], Beginning]
    step: int = 0
    one_epoch: Epoch = train_epoch
    taught: Callable[[int], Teaching] | None = None
    watch: Watch | None = None


def fresh(
    network: Network,
    images: DeviceImages,
    classes: int,
    parts: Mapping[int, np.ndarray] | None = None,
    plan: Plan | None = None,
) -> Callable[[int], Beginning]:
    """Begin with networks for these images, with new weights or the file of weights that the params name.

    parts: the rows of the images that each seed trains on; without it, all images. plan: which of all images each seed
    visits in each epoch, chosen as it goes.
    """
    rows = parts or {}
    return lambda seed: Beginning(starting(network, classes, images.shape, seed), seed, rows=rows.get(seed), plan=plan)


def nothing(_run: Run) -> None:
    """Keep nothing."""


def fit(
    task: Task,
    seeds: Sequence[int],
    folder: Path,
    tick: Tick,
    on_end: Hook,
    on_epoch: Hook = nothing,
    share: "Share | None" = None,
) -> None:
    """Train a network for every seed to the end of the schedule, several in step with each other.

    ``fit`` calls on_epoch before the first epoch of a run and after every one, and on_end after the last. What they
    write into ``run.working`` becomes the folder ``folder/seed<s>``. A seed with such a folder is done.

    After an interruption, the same call resumes after the last saved epoch, and ends in the same bytes.

    share: of this process among several, which all make this call for the one seed; only the leader calls hooks.
    """
    if task.taught:
        for seed in seeds:
            if not (folder / f"seed{seed}").exists():
                own = replace(task, images=task.images.taught(task.taught(seed)), taught=None)
                fit(own, [seed], folder, tick, on_end, on_epoch, share)
        return
    leads = share is None or share.leads
    runs = []
    for seed in seeds:
        if not (folder / f"seed{seed}").exists():
            with share.leader_first() if share else nullcontext():  # beginning may write
                begin = task.begin(seed)
            begin.network.to(task.images.device)
            run = start(begin, folder / f"seed{seed}", task.step, task.step // task.schedule.epoch)
            run.watch = task.watch if leads else None
            runs.append(run)
    for run in train(runs, task.images, task.training, task.schedule, tick, task.one_epoch, share):
        if leads:
            on_epoch(run)
    for run in runs if leads else ():
        on_end(run)
        finish(run)


def fit_side_by_side(
    tasks: Mapping[Path, Task], seeds: Sequence[int], label: str, on_end: Hook, on_epoch: Hook = nothing
) -> None:
    """``fit`` for every seed of every task, into the task's folder, on all cores, under one progress bar; in a stage on
    several devices (``several_devices``) one seed after another, each on all of them."""
    place = share()
    jobs = [
        (folder, group)
        for folder, task in tasks.items()
        for group in ([[seed] for seed in seeds] if place else together(seeds, task.images.device))
    ]

    def work(job: tuple[Path, list[int]], tick: Tick) -> None:
        folder, group = job
        fit(tasks[folder], group, folder, tick, on_end, on_epoch, place)

    steps = len(seeds) * sum(task.schedule.total - task.step for task in tasks.values())
    bar = Bar(steps, label)
    if place is None:
        processes = max((workers(task.images.device) for task in tasks.values()), default=1)
        side_by_side(work, jobs, processes, bar)
        return
    left = place.begin(label, [i for i, (folder, (seed,)) in enumerate(jobs) if not (folder / f"seed{seed}").exists()])
    if place.leads:
        side_by_side(work, [jobs[i] for i in left], 1, bar)
        return
    one_thread()
    for i in left:
        work(jobs[i], lambda _: None)
    place.follow()
