"""Train two children of every dense network, which part at a step and differ in the order of data from there on."""

import shutil
from pathlib import Path

from stages._images import held_out, training_images
from stages._stage import finish, main, params, scratch
from winnow.datasets.images import load_facts
from winnow.params.base import steps
from winnow.params.dense import Dense
from winnow.params.landscape import Spawn
from winnow.streams import numpy_stream
from winnow.tickets.rewind import begin_dense, reach_rewind_points
from winnow.tickets.train import train_level
from winnow.training.batches import to_device
from winnow.training.device import device, together, workers
from winnow.training.schedule import schedule
from winnow.training.workers import Tick, side_by_side

OWN, OTHER = "a", "b"  # children: with the dense network's own order of data, and with another one


def spawn() -> None:
    options = params(dense=Dense, spawn=Spawn)
    dense = options.dense
    facts, where = load_facts("data/images"), device()
    classes, parts = len(facts["class_names"]), held_out(facts, where)
    images = to_device(training_images(), facts, where)
    plan = schedule(dense.training, len(images), section="dense")
    partings = sorted({plan.before_end(steps(at, plan.epoch), "spawn.at") for at in options.spawn.at})
    folder = scratch()
    children = folder / "children"
    children.mkdir(exist_ok=True)  # empty, where none are asked for

    def begun(step: int) -> Path:
        return folder / "begun" / f"{step}"

    def reach(job: tuple[int, list[int]], tick: Tick) -> None:
        step, seeds = job
        parents = folder / "parents" / f"{step}"
        reach_rewind_points(seeds, images, classes, dense.network, dense.training, plan.until_step(step), parents, tick)
        for seed in seeds:
            point = parents / f"seed{seed}" / "network.safetensors"
            begin_dense(point, dense.network, classes, images, begun(step) / f"seed{seed}.safetensors")

    def train(job: tuple[int, str, list[int]], tick: Tick) -> None:
        step, child, seeds = job
        order = other_order if child == OTHER else int
        place = children / f"{step}" / child
        train_level(seeds, begun(step), images, parts, dense.training, plan, step, place, tick, order=order)

    groups, count = together(dense.seeds, where), len(dense.seeds)
    ahead = [(step, seeds) for step in partings for seeds in groups]
    apart = [(step, child, seeds) for step in partings for child in (OWN, OTHER) for seeds in groups]
    left = [plan.total - step for step in partings for _ in (OWN, OTHER)]
    side_by_side(reach, ahead, workers(where), count * sum(partings), "spawn, to the parting")
    side_by_side(train, apart, workers(where), count * sum(left), "spawn")
    finish(children, "data/spawn")
    shutil.rmtree(folder)


def other_order(seed: int) -> int:
    """The seed of the second child's order of data and of its augmentation."""
    return int(numpy_stream(seed, "child").integers(2**62))


if __name__ == "__main__":
    main(spawn)
