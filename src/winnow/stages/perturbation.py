"""Train a level again from perturbed rewind points, and measure whether the results are connected to the level's
solution."""

import shutil
from collections.abc import Callable
from pathlib import Path

from winnow.datasets.images import load_facts
from winnow.landscape.tables import joined, load_line
from winnow.params.dense import Dense
from winnow.params.landscape import Connectivity, Perturbation
from winnow.stages._images import held_out, to_train_on
from winnow.stages._lines import Line, measure
from winnow.stages._stage import code, main, naming, params, scratch
from winnow.stages._tickets import ticket
from winnow.storage import load_tensor_provenance, save_table
from winnow.tickets.perturbed import begin_perturbed
from winnow.tickets.rewind import rewind_step
from winnow.tickets.train import from_tickets, keep_ticket
from winnow.training.device import chosen_device
from winnow.training.fit import Task, fit_side_by_side
from winnow.training.loop import Beginning
from winnow.training.schedule import make_schedule
from winnow.training.several_devices import on_all_devices


def perturbation(name: str) -> None:
    options = params(dense=Dense, perturbation=Perturbation, connectivity=Connectivity)
    seeds, training = options.dense.seeds, options.dense.training
    run, scales = options.perturbation.runs[name], options.perturbation.scales
    facts, device = load_facts("data/images"), chosen_device()
    images = to_train_on(run.data, facts, device)
    splits = held_out(facts, device)
    with naming(f"perturbation.runs.{name}: dense.training."):
        schedule = make_schedule(training, len(images), facts["images"]["train"])
    rewinds = {seed: Path(f"data/rewind/{run.rewind}/seed{seed}/network.safetensors") for seed in seeds}
    tau = rewind_step(rewinds[seeds[0]])
    folder = scratch()

    def begun(multiple: float, seed: int) -> Path:
        return folder / "begun" / f"{multiple}" / f"seed{seed}.safetensors"

    def perturbed(multiple: float) -> Callable[[int], Beginning]:
        """From a seed to the ticket at its perturbed rewind point, which it also writes."""
        begin = from_tickets(folder / "begun" / f"{multiple}")

        def of_seed(seed: int) -> Beginning:
            level, child = ticket(run.level, seed), ticket(run.child, seed)
            begin_perturbed(level, child, rewinds[seed], multiple, seed, begun(multiple, seed))
            return begin(seed)

        return of_seed

    tasks = {
        folder / "trained" / f"{multiple}": Task(images, training, schedule, perturbed(multiple), tau)
        for multiple in scales
    }
    fit_side_by_side(tasks, seeds, f"perturbation@{name}", on_end=keep_ticket(splits))
    lines = {(multiple, seed): line_to(run.level, folder, multiple, seed) for multiple in scales for seed in seeds}
    measure(list(lines.values()), options.connectivity, code(), f"perturbation@{name}, lines")
    about = {"run": name, "level": run.level, "rewind": run.rewind, "rewind_steps": tau}
    tables = [
        load_line(line.file, **about, multiple=multiple, length=length_of(begun(multiple, seed)), seed=seed)
        for (multiple, seed), line in lines.items()
    ]
    save_table(f"data/landscape/perturbation/{name}.parquet", joined(tables))
    shutil.rmtree(folder)


def line_to(level: str, folder: Path, multiple: float, seed: int) -> Line:
    """From the level's solution to that from a perturbed rewind point."""
    trained = folder / "trained" / f"{multiple}" / f"seed{seed}" / "ticket.safetensors"
    return Line(ticket(level, seed), trained, folder / "lines" / f"{multiple}" / f"seed{seed}.parquet")


def length_of(begun: Path) -> float:
    """How far from its rewind point a perturbed network begins."""
    return load_tensor_provenance(begun)["length"]


if __name__ == "__main__":
    main(on_all_devices(perturbation))
