"""Train fresh networks to a rewind point of its own, perhaps on fewer images, side by side."""

from stages._images import training_images
from stages._stage import finish, main, params, scratch
from winnow.datasets.images import load_facts
from winnow.params.base import steps
from winnow.params.dense import Dense
from winnow.params.imp import Imp
from winnow.tickets.rewind import reach_rewind_points
from winnow.training.batches import to_device
from winnow.training.device import device, together, workers
from winnow.training.schedule import schedule
from winnow.training.workers import Tick, side_by_side


def rewind(name: str) -> None:
    options = params(dense=Dense, imp=Imp)
    dense, point = options.dense, options.imp.rewinds[name]
    facts, where = load_facts("data/images"), device()
    everything = facts["images"]["train"]
    images = to_device(training_images(point.data), facts, where)
    plan = schedule(dense.training, len(images), everything, section=f"imp.rewinds.{name}: dense")
    length = steps(point.length, everything // dense.training.batch_size)
    plan = plan.until_step(plan.before_end(length, f"imp.rewinds.{name}.length"))
    folder = scratch()

    def work(seeds: list[int], tick: Tick) -> None:
        reach_rewind_points(seeds, images, len(facts["class_names"]), dense.network, dense.training, plan, folder, tick)

    side_by_side(work, together(dense.seeds, where), workers(where), len(dense.seeds) * plan.total, f"rewind@{name}")
    finish(folder, f"data/rewind/{name}")


if __name__ == "__main__":
    main(rewind)
