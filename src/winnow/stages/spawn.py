"""Train two children of every dense network. They part at a step, and from there on see the data in different
orders."""

import shutil
from pathlib import Path

from winnow.datasets.images import load_facts
from winnow.params.base import steps
from winnow.params.dense import Dense
from winnow.params.landscape import Spawn
from winnow.stages._images import held_out, training_images
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.streams import numpy_stream
from winnow.tickets.rewind import begin_dense
from winnow.tickets.train import from_tickets, keep_ticket
from winnow.training.batches import to_device
from winnow.training.device import chosen_device
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.loop import Run
from winnow.training.schedule import make_schedule
from winnow.training.several_devices import on_all_devices

OWN, OTHER = "a", "b"  # children: with the dense network's own order of data, and with another order


def spawn() -> None:
    options = params(dense=Dense, spawn=Spawn)
    dense = options.dense
    facts, device = load_facts("data/images"), chosen_device()
    classes, splits = len(facts["class_names"]), held_out(facts, device)
    images = to_device(training_images(), facts, device)
    with naming("dense.training."):
        schedule = make_schedule(dense.training, len(images))
    with naming("spawn.at: "):
        partings = sorted({schedule.before_end(steps(at, schedule.epoch)) for at in options.spawn.at})
    folder = scratch()
    children = folder / "children"
    children.mkdir(exist_ok=True)  # stays empty if no children are asked for

    def begun(step: int) -> Path:
        return folder / "begun" / f"{step}"

    def parted(run: Run) -> None:
        begin_dense(run, dense.network, classes, images.shape, begun(run.step))

    begin = naming("dense.network.")(fresh(dense.network, images, classes))
    ahead = {
        folder / "parents" / f"{step}": Task(images, dense.training, schedule.until_step(step), begin)
        for step in partings
    }
    apart = {
        children / f"{step}" / child: Task(images, dense.training, schedule, from_tickets(begun(step), order), step)
        for step in partings
        for child, order in ((OWN, int), (OTHER, other_order))
    }
    fit_side_by_side(ahead, dense.seeds, "spawn, to the parting", on_end=parted)
    fit_side_by_side(apart, dense.seeds, "spawn", on_end=keep_ticket(splits))
    finish(children, "data/spawn")
    shutil.rmtree(folder)


def other_order(seed: int) -> int:
    """The seed for the second child's order of data and its augmentation."""
    return int(numpy_stream(seed, "child").integers(2**62))


if __name__ == "__main__":
    main(on_all_devices(spawn))
