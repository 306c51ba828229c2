"""Measure the Hessian at a level's solutions: largest eigenvalues, spectral density, trace, and the cut that it
predicts."""

from dataclasses import fields

from winnow.datasets.images import load_facts, sample
from winnow.landscape.curvature import Effort, curvature
from winnow.params.dense import Dense
from winnow.params.landscape import Curvature
from winnow.progress import Bar
from winnow.stages._images import training_images
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.stages._tickets import ticket
from winnow.storage import save_tensors
from winnow.tickets.files import load_ticket
from winnow.training.batches import to_device
from winnow.training.device import chosen_device, workers
from winnow.training.workers import Tick, side_by_side


def curvature_stage(level: str) -> None:
    options = params(dense=Dense, curvature=Curvature)
    settings = options.curvature
    effort = Effort(**{field.name: getattr(settings, field.name) for field in fields(Effort)})
    seeds = options.dense.seeds
    facts, device = load_facts("data/images"), chosen_device()
    images = to_device(sample(training_images(), settings.images), facts, device)
    folder = scratch()

    def work(seed: int, tick: Tick) -> None:
        file = folder / f"seed{seed}.safetensors"
        if not file.exists():
            found = load_ticket(ticket(level, seed))
            with naming("curvature.eigenvalues: "):
                save_tensors(file, curvature(found.network, found.mask, images, effort))
        tick(1)

    side_by_side(work, seeds, workers(device), Bar(len(seeds), f"curvature@{level}", "network"))
    finish(folder, f"data/landscape/curvature/{level}")


if __name__ == "__main__":
    main(curvature_stage)
