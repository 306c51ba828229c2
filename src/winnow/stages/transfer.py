"""Train the networks of one source for the first epochs, as the stage early does a cohort, and keep what it keeps."""

from winnow.datasets.images import load_facts, load_split
from winnow.params.early import Early
from winnow.params.transfer import Transfer
from winnow.scores.sources import run_of
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.training.batches import to_device
from winnow.training.device import chosen_device
from winnow.training.early import early_schedule, keep_epochs, keep_visits
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.several_devices import on_all_devices


def transfer(name: str) -> None:
    options = params(f"transfer.sources.{name}", early=Early, transfer=Transfer)
    source, epochs = options.item, options.early.epochs
    facts = load_facts("data/images")
    device = chosen_device()
    images = to_device(load_split("data/images", "train", labels="data/labels.parquet"), facts, device)
    validation = to_device(load_split("data/images", "validation"), facts, device)
    key = f"transfer.sources.{name}"
    with naming(f"{key}.training: "):
        schedule = early_schedule(source.training, len(images), epochs)
    folder = scratch()
    begin = naming(f"{key}.network: ")(fresh(source.network, images, len(facts["class_names"])))
    fit_side_by_side(
        {folder: Task(images, source.training, schedule, begin)},
        options.transfer.sources[name].seeds,
        f"transfer@{name}",
        on_epoch=keep_epochs(images, validation, epochs),
        on_end=keep_visits(len(images)),
    )
    finish(folder, f"data/early/{run_of(name)}")


if __name__ == "__main__":
    main(on_all_devices(transfer))
