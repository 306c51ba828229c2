"""Train one cohort of seeds for the first epochs, side by side, and keep the outputs that scores are computed from."""

import numpy as np

from winnow.datasets.images import load_facts, load_split
from winnow.params.early import Cohort, Early
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.storage import load_column
from winnow.training.batches import to_device
from winnow.training.device import chosen_device
from winnow.training.early import early_schedule, keep_epochs, keep_visits, parts_of, shares_of
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.several_devices import on_all_devices


def early(name: str) -> None:
    options = params(early=Early).early
    cohort = options.cohorts[name]
    facts = load_facts("data/images")
    device = chosen_device()
    images = to_device(load_split("data/images", "train", labels="data/labels.parquet"), facts, device)
    validation = to_device(load_split("data/images", "validation"), facts, device)
    with naming(f"early.cohorts.{name}."):
        parts = parts_of_cohort(cohort, len(images))
    if cohort.trusted:
        parts = dict.fromkeys(cohort.seeds, np.flatnonzero(load_column("data/labels.parquet", "trusted")))
    trained_on = min(map(len, parts.values()), default=len(images))
    with naming("early.training."):
        schedule = early_schedule(options.training, trained_on, options.epochs)
    folder = scratch()
    begin = naming("early.network.")(fresh(options.network, images, len(facts["class_names"]), parts))
    fit_side_by_side(
        {folder: Task(images, options.training, schedule, begin)},
        cohort.seeds,
        f"early@{name}",
        on_epoch=keep_epochs(images, validation, options.epochs, options.features),
        on_end=keep_visits(len(images)),
    )
    finish(folder, f"data/early/{name}")


def parts_of_cohort(cohort: Cohort, images: int) -> dict[int, np.ndarray]:
    """The rows of the images that each seed trains on; empty if all train on all."""
    if cohort.folds:
        return parts_of(cohort.seeds, cohort.folds, images)
    return shares_of(cohort.seeds, cohort.share, images) if cohort.share else {}


if __name__ == "__main__":
    main(on_all_devices(early))
