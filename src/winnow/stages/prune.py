"""Run one level of pruning: prune the parent's tickets, set the weights that the survivors start from, train them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean

from winnow.datasets.images import load_facts, sample
from winnow.errors import UserError
from winnow.params.base import steps
from winnow.params.dense import Dense
from winnow.params.pruning import NO_PARENT, Pruning
from winnow.progress import Bar
from winnow.ranks import await_leader
from winnow.stages._images import held_out, to_train_on, training_images
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.stages._tickets import TICKETS, ticket
from winnow.storage import load_json, save_table
from winnow.tickets.files import load_ticket, multiplications_left, save_ticket
from winnow.tickets.level import Material, begin_level, during
from winnow.tickets.rewind import load_rewind_point, rewind_step, without_parent
from winnow.tickets.rules import rule_of
from winnow.tickets.stopping import measure
from winnow.tickets.train import from_tickets, keep_ticket, load_results
from winnow.training.batches import to_device
from winnow.training.device import chosen_device, workers
from winnow.training.distillation import Teaching
from winnow.training.evaluate import log_probabilities
from winnow.training.fit import Task, fit_side_by_side
from winnow.training.schedule import make_schedule
from winnow.training.several_devices import on_all_devices
from winnow.training.workers import Tick, side_by_side


def prune(name: str) -> None:
    options = params(dense=Dense, pruning=Pruning)
    seeds, training, level = options.dense.seeds, options.dense.training, options.pruning.levels[name]
    probe = sample(training_images(), options.dense.eval_images)
    with told("params.yaml: "):
        rule = rule_of(name, level, options.pruning.floor)
    facts, device = load_facts("data/images"), chosen_device()
    images = to_train_on(level.data, facts, device)
    material = Material(images, {"train": to_device(probe, facts, device), **held_out(facts, device)})
    rewinds = {seed: Path(f"data/rewind/{level.rewind}/seed{seed}/network.safetensors") for seed in seeds}
    full_epoch = facts["images"]["train"] // training.batch_size
    with naming(f"pruning.levels.{name}: dense.training."):
        whole = make_schedule(training, len(images), facts["images"]["train"])
    folder = scratch()
    begun, trained = folder / "begun", folder / "level"

    def begin(seed: int, tick: Tick) -> None:
        path = begun / f"seed{seed}.safetensors"
        if not path.exists():
            rewound = load_rewind_point(rewinds[seed])
            if level.parent == NO_PARENT:
                parent = without_parent(load_json(TICKETS / NO_PARENT), rewound)
            else:
                parent = load_ticket(ticket(level.parent, seed))
            with told(f"pruning.levels.{name}: "):
                save_ticket(path, *begin_level(rule, parent, rewound, seed, material))
        tick(1)

    side_by_side(begin, seeds, workers(device), Bar(len(seeds), f"prune@{name}, pruning", "ticket"))

    def left() -> float:
        tickets = [begun / f"seed{seed}.safetensors" for seed in seeds]
        for path in tickets:
            await_leader(path)
        return fmean(multiplications_left(load_ticket(path)) for path in tickets)

    def taught(seed: int) -> Teaching:
        assert rule.distilling is not None
        teacher = load_ticket(ticket(level.parent, seed)).network.to(device)
        return rule.distilling(log_probabilities(teacher, images), device)

    schedule, first = rule.schedule(whole, rewind_step(rewinds[seeds[0]]), left)
    begins = from_tickets(begun, changes=during(rule, schedule, first, images), trains=rule.trains)
    with naming("dense."):
        watch = measure(material.splits, steps(options.dense.measure, full_epoch)) if options.dense.measure else None
    task = Task(images, training, schedule, begins, first, taught=taught if rule.distilling else None, watch=watch)
    fit_side_by_side({trained: task}, seeds, f"prune@{name}", keep_ticket(material.splits))
    save_table(trained / "results.csv", load_results(trained, seeds))
    finish(trained, f"data/tickets/{name}")
    shutil.rmtree(folder)


@contextmanager
def told(key: str) -> Iterator[None]:
    """Turn a kernel's ValueError into a UserError about ``key``, or about pruning.floor if it is the floor's."""
    try:
        yield
    except ValueError as error:
        raise UserError(f"pruning.{error}" if str(error).startswith("floor: ") else f"{key}{error}") from None


if __name__ == "__main__":
    main(on_all_devices(prune))
