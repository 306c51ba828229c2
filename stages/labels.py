"""Write the labels to train on: the source's own, or, for experiments with label noise, with a fraction redrawn at
random."""

import numpy as np

from stages._stage import main, params
from winnow.datasets.images import load_facts
from winnow.datasets.label_noise import randomise
from winnow.params.download import Labels
from winnow.selection.files import save_subset
from winnow.storage import load_table, save_table


def labels() -> None:
    options = params(labels=Labels).labels
    facts = load_facts("data/images")
    class_names = facts["class_names"]
    table = load_table("data/images/train.parquet")
    original = table["label"].to_numpy()
    table["label"] = randomise(original, options.noise, len(class_names), options.seed)
    table["original_label"] = original
    table["class"] = np.array(class_names)[table["label"]]
    save_table("data/labels.parquet", table)
    # all training images as a subset, for the stages that take subsets by name
    save_subset("data/full.parquet", table, {"source": facts["source"], "method": "full"})


if __name__ == "__main__":
    main(labels)
