"""Train one cohort of seeds on one half of the images and then on the other, and keep what they forget of the first."""

import shutil

from winnow.datasets.images import load_facts, load_split
from winnow.params.early import Early
from winnow.params.second_split import SecondSplit
from winnow.scores.sources import split_of
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.training.batches import to_device
from winnow.training.device import chosen_device
from winnow.training.second_split import train_on_halves
from winnow.training.several_devices import on_all_devices


def second_split(name: str) -> None:
    options = params(early=Early, second_split=SecondSplit)
    early, seeds = options.early, options.second_split.cohorts[name]
    facts, device = load_facts("data/images"), chosen_device()
    images = to_device(load_split("data/images", "train", labels="data/labels.parquet"), facts, device)
    folder, classes = scratch(), len(facts["class_names"])
    network, training = early.network, early.training
    with naming(f"second_split.cohorts.{name}: each half: early.training."):
        kept = train_on_halves(images, network, training, classes, seeds, folder, f"second_split@{name}")
    finish(kept, f"data/early/{split_of(name)}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(on_all_devices(second_split))
