"""The labels to train on: the source's own, but those that the user's file has. For experiments with label noise a
fraction of them is then drawn anew."""

import numpy as np

from winnow.datasets.images import load_facts
from winnow.datasets.label_file import marked, read_labels, relabel
from winnow.datasets.label_noise import randomise
from winnow.params.download import Download, Labels
from winnow.selection.files import save_subset
from winnow.stages._stage import main, naming, params
from winnow.storage import load_column, load_table, save_table


def labels() -> None:
    sections = params(labels=Labels, download=Download)
    options, first = sections.labels, sections.download.first
    facts = load_facts("data/images")
    class_names = facts["class_names"]
    table = load_table("data/images/train.parquet")
    original = table["label"].to_numpy()
    given = original
    if options.file:
        # validation images keep their labels: accuracies on them can be compared whatever the file says
        held_out = set(load_column("data/images/validation.parquet", "id").tolist())
        with naming(f"labels.file: {options.file} "):
            rows = read_labels(options.file, options.column)
            # which images there are after the first ones nobody has read, nor which a long tail has left out
            others = None if first or "long_tail" in facts else held_out
            given = relabel(original, table["id"].tolist(), rows, class_names, others)
        print(f"{options.file}: {(given != original).sum()} of {len(given)} labels differ from the source's")
    table["label"] = randomise(given, options.noise, len(class_names), options.seed)
    table["original_label"] = original
    table["true_label"] = original if options.right == "source" else given
    table["class"] = np.array(class_names)[table["label"]]
    if options.file and options.trusted:
        with naming(f"labels.trusted: {options.file} "):
            table["trusted"] = marked(table["id"].tolist(), read_labels(options.file, options.trusted))
    save_table("data/labels.parquet", table)
    # all training images as a subset, for the stages that take subsets by name
    save_subset("data/full.parquet", table, {"source": facts["source"], "method": "full"})


if __name__ == "__main__":
    main(labels)
