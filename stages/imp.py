"""One level of pruning: cut the parent's tickets, put the survivors back to the rewind point, train them again."""

import shutil
from pathlib import Path

from stages._images import held_out, to_train_on, training_images
from stages._stage import finish, main, naming, params, scratch
from winnow.datasets.images import load_facts, sample
from winnow.params.dense import Dense
from winnow.params.imp import Imp
from winnow.storage import save_table
from winnow.tickets.level import begin_level
from winnow.tickets.rewind import rewind_step
from winnow.tickets.train import from_tickets, keep_ticket, load_results
from winnow.tickets.variants import VARIANTS
from winnow.training.batches import to_device
from winnow.training.device import device, workers
from winnow.training.fit import Task, fit_side_by_side
from winnow.training.schedule import schedule
from winnow.training.workers import Tick, side_by_side


def imp(name: str) -> None:
    options = params(dense=Dense, imp=Imp)
    seeds, training, level = options.dense.seeds, options.dense.training, options.imp.levels[name]
    facts, where = load_facts("data/images"), device()
    images = to_train_on(level.data, facts, where)
    probe = sample(training_images(), options.dense.probe)
    parts = {"train": to_device(probe, facts, where), **held_out(facts, where)}
    rewinds = {seed: Path(f"data/rewind/{level.rewind}/seed{seed}/network.safetensors") for seed in seeds}
    with naming(f"imp.levels.{name}: dense.training."):
        whole = schedule(training, len(images), facts["images"]["train"])
    plan, first = VARIANTS[level.variant].schedule(whole, rewind_step(rewinds[seeds[0]]))
    folder = scratch()
    begun, trained = folder / "begun", folder / "level"

    def begin(seed: int, tick: Tick) -> None:
        path = begun / f"seed{seed}.safetensors"
        if not path.exists():
            parent = Path(f"data/tickets/{level.parent}/seed{seed}/ticket.safetensors")
            begin_level(level, options.imp.floor, seed, parent, rewinds[seed], parts, path)
        tick(1)

    side_by_side(begin, seeds, workers(where), len(seeds), f"imp@{name}, cut", unit="ticket")
    task = Task(images, training, plan, from_tickets(begun), first)
    fit_side_by_side({trained: task}, seeds, f"imp@{name}", on_end=keep_ticket(parts))
    save_table(trained / "results.csv", load_results(trained, seeds))
    finish(trained, f"data/tickets/{name}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(imp)
