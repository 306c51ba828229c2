"""Train fresh networks, side by side, to a rewind point that differs from the dense one, perhaps on fewer images."""

from winnow.datasets.images import load_facts
from winnow.params.base import steps
from winnow.params.dense import Dense
from winnow.params.pruning import Pruning
from winnow.stages._images import to_train_on
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.tickets.rewind import keep_rewind_point
from winnow.training.device import chosen_device
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.schedule import make_schedule
from winnow.training.several_devices import on_all_devices


def rewind(name: str) -> None:
    options = params(dense=Dense, pruning=Pruning)
    dense, point = options.dense, options.pruning.rewinds[name]
    facts, device = load_facts("data/images"), chosen_device()
    everything = facts["images"]["train"]
    images = to_train_on(point.data, facts, device)
    with naming(f"pruning.rewinds.{name}: dense.training."):
        schedule = make_schedule(dense.training, len(images), everything)
    with naming(f"pruning.rewinds.{name}.length: "):
        tau = schedule.before_end(steps(point.length, everything // dense.training.batch_size))
    folder = scratch()
    begin = naming("dense.network.")(fresh(dense.network, images, len(facts["class_names"])))
    task = Task(images, dense.training, schedule.until_step(tau), begin)
    fit_side_by_side({folder: task}, dense.seeds, f"rewind@{name}", on_end=keep_rewind_point)
    finish(folder, f"data/rewind/{name}")


if __name__ == "__main__":
    main(on_all_devices(rewind))
