"""Train one cohort of seeds for the first epochs, side by side, and keep what the scores are computed from."""

from pathlib import Path

from stages._stage import finish, main, params, scratch
from winnow.datasets.images import load_facts, load_part
from winnow.params.early import Early
from winnow.training.batches import to_device
from winnow.training.device import device, workers
from winnow.training.early import train_early
from winnow.training.schedule import schedule
from winnow.training.workers import Tick, side_by_side


def early(cohort: str) -> None:
    options = params(early=Early).early
    seeds = options.cohorts[cohort]
    facts = load_facts("data/images")
    where = device()
    images = to_device(load_part("data/images", "train", labels="data/labels.parquet"), facts, where)
    validation = to_device(load_part("data/images", "validation"), facts, where)
    folder = scratch()

    def work(seed: int, tick: Tick) -> None:
        train_early(
            seed=seed,
            images=images,
            validation=validation,
            classes=len(facts["class_names"]),
            network=options.network,
            training=options.training,
            epochs=options.epochs,
            folder=Path(folder, f"seed{seed}"),
            tick=tick,
        )

    steps = schedule(options.training, len(images), section="early").until(options.epochs[-1]).total
    side_by_side(work, seeds, workers(where), len(seeds) * steps, f"early@{cohort}")
    finish(folder, f"data/early/{cohort}")


if __name__ == "__main__":
    main(early)
