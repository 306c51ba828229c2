"""Train the dense networks: to the rewind point, and from there to the end, which is level 0 of every ticket."""

import shutil

from stages._images import held_out, training_images
from stages._stage import finish, main, params, scratch
from winnow.datasets.images import load_facts, sample
from winnow.params.base import steps
from winnow.params.dense import Dense
from winnow.storage import save_table
from winnow.tickets.rewind import begin_dense, reach_rewind_points
from winnow.tickets.train import load_results, train_level
from winnow.training.batches import to_device
from winnow.training.device import device, together, workers
from winnow.training.schedule import schedule
from winnow.training.workers import Tick, side_by_side


def dense() -> None:
    options = params(dense=Dense).dense
    facts, where = load_facts("data/images"), device()
    classes = len(facts["class_names"])
    train_part = training_images()
    images = to_device(train_part, facts, where)
    parts = {"train": to_device(sample(train_part, options.probe), facts, where), **held_out(facts, where)}
    plan = schedule(options.training, len(images), section="dense")
    tau = plan.before_end(steps(options.rewind, plan.epoch), "dense.rewind")
    folder = scratch()
    rewind, begun, level = folder / "rewind", folder / "begun", folder / "level"

    def reach(seeds: list[int], tick: Tick) -> None:
        to_tau = plan.until_step(tau)
        reach_rewind_points(seeds, images, classes, options.network, options.training, to_tau, rewind, tick)
        for seed in seeds:
            begin_dense(
                rewind / f"seed{seed}" / "network.safetensors",
                options.network,
                classes,
                images,
                begun / f"seed{seed}.safetensors",
            )

    def train(seeds: list[int], tick: Tick) -> None:
        train_level(seeds, begun, images, parts, options.training, plan, tau, level, tick)

    groups, count = together(options.seeds, where), len(options.seeds)
    side_by_side(reach, groups, workers(where), count * tau, "dense, to the rewind point")
    side_by_side(train, groups, workers(where), count * (plan.total - tau), "dense")
    save_table(level / "results.csv", load_results(level, options.seeds))
    rewind.mkdir(exist_ok=True)  # where there are no seeds
    finish(rewind, "data/rewind/dense")
    finish(level, "data/tickets/dense")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(dense)
