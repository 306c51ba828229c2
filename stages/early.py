"""Train one cohort of seeds for the first epochs, side by side, and keep what the scores are computed from."""

from stages._stage import finish, main, params, scratch
from winnow.datasets.images import load_facts, load_part
from winnow.params.early import Early
from winnow.training.batches import to_device
from winnow.training.device import device, together, workers
from winnow.training.early import train_early
from winnow.training.schedule import schedule
from winnow.training.workers import Tick, side_by_side


def early(cohort: str) -> None:
    options = params(early=Early).early
    facts = load_facts("data/images")
    where = device()
    images = to_device(load_part("data/images", "train", labels="data/labels.parquet"), facts, where)
    validation = to_device(load_part("data/images", "validation"), facts, where)
    folder = scratch()

    def work(seeds: list[int], tick: Tick) -> None:
        train_early(
            seeds=seeds,
            images=images,
            validation=validation,
            classes=len(facts["class_names"]),
            network=options.network,
            training=options.training,
            epochs=options.epochs,
            folder=folder,
            tick=tick,
        )

    plan = schedule(options.training, len(images), section="early").until(options.epochs[-1])
    seeds = options.cohorts[cohort]
    side_by_side(work, together(seeds, where), workers(where), len(seeds) * plan.total, f"early@{cohort}")
    finish(folder, f"data/early/{cohort}")


if __name__ == "__main__":
    main(early)
