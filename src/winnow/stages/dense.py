"""Train the dense networks to the rewind point, and from there to the end; the result is level 0 of all tickets."""

import shutil

from winnow.datasets.images import load_facts, sample
from winnow.params.base import steps
from winnow.params.dense import Dense
from winnow.stages._images import held_out, training_images
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.storage import save_json, save_table
from winnow.tickets.rewind import about_dense, begin_dense, keep_rewind_point
from winnow.tickets.stopping import measure
from winnow.tickets.train import from_tickets, keep_ticket, load_results
from winnow.training.batches import to_device
from winnow.training.device import chosen_device
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.loop import Run
from winnow.training.schedule import make_schedule
from winnow.training.several_devices import on_all_devices


def dense() -> None:
    options = params(dense=Dense).dense
    facts, device = load_facts("data/images"), chosen_device()
    classes = len(facts["class_names"])
    train_split = training_images()
    images = to_device(train_split, facts, device)
    splits = {"train": to_device(sample(train_split, options.eval_images), facts, device), **held_out(facts, device)}
    with naming("dense.training."):
        schedule = make_schedule(options.training, len(images))
    with naming("dense.rewind: "):
        tau = schedule.before_end(steps(options.rewind, schedule.epoch))
    folder = scratch()
    rewind, begun, level = folder / "rewind", folder / "begun", folder / "level"

    def reached(run: Run) -> None:
        keep_rewind_point(run)
        begin_dense(run, options.network, classes, images.shape, begun)

    begin = naming("dense.network.")(fresh(options.network, images, classes))
    to_tau = Task(images, options.training, schedule.until_step(tau), begin)
    fit_side_by_side({rewind: to_tau}, options.seeds, "dense, to the rewind point", on_end=reached)
    with naming("dense."):
        watch = measure(splits, steps(options.measure, schedule.epoch)) if options.measure else None
    from_tau = Task(images, options.training, schedule, from_tickets(begun), tau, watch=watch)
    fit_side_by_side({level: from_tau}, options.seeds, "dense", on_end=keep_ticket(splits))
    save_table(level / "results.csv", load_results(level, options.seeds))
    rewind.mkdir(exist_ok=True)  # in case there are no seeds
    finish(rewind, "data/rewind/dense")
    finish(level, "data/tickets/dense")
    # a level without a parent builds its network from this file, and depends on it in place of a parent's folder
    save_json("data/tickets/none", about_dense(options.network, classes, images.shape))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(on_all_devices(dense))
