"""Train fresh networks on one subset, or on all images, side by side, and measure them on the held-out parts."""

import numpy as np

from stages._stage import finish, main, params, scratch
from winnow.datasets.images import load_facts, load_part
from winnow.params.retrain import Retrain
from winnow.storage import load_column, load_json, save_json, save_table
from winnow.subsets.files import load_subset
from winnow.training.batches import to_device
from winnow.training.device import device
from winnow.training.parts import Part, train_seeds
from winnow.training.retrain import results, retrain
from winnow.training.schedule import schedule
from winnow.training.workers import Tick


def retrain_stage(*items: str) -> None:
    """The items of a select stage, such as el2n 0.5; or full, for all images."""
    item = "-".join(items)
    options = params(retrain=Retrain).retrain
    facts = load_facts("data/images")
    where = device()
    train = load_part("data/images", "train", labels="data/labels.parquet")
    full_epoch = len(train) if options.budget == "steps" else None
    if item != "full":
        positions = load_column("data/labels.parquet", "position")
        train = train.take(np.flatnonzero(np.isin(positions, load_subset(f"data/select/{item}.parquet").positions)))
    plan = schedule(options.training, len(train), full_epoch, section=f"retrain@{item}: retrain")
    images = to_device(train, facts, where)
    parts = {name: load_part("data/images", name) for name in ("validation", "test") if facts["images"][name]}
    held_out = {name: to_device(part, facts, where) for name, part in parts.items()}
    folder = scratch()
    runs, clocks = folder / "runs", folder / "seconds"

    def work(part: Part, tick: Tick) -> None:
        retrain(
            seeds=part.seeds,
            images=images,
            held_out=held_out,
            classes=len(facts["class_names"]),
            network=options.network,
            training=options.training,
            plan=plan,
            folder=runs,
            clocks=clocks,
            tick=tick,
            end=part.end,
        )

    train_seeds(work, options.seeds, runs, plan, where, f"retrain@{item}")
    table = results(runs, options.seeds, {name: part.labels for name, part in parts.items()})
    save_table(runs / "results.csv", table.assign(images=len(train), steps=plan.total))
    save_json(f"data/timing/{item}.json", {seed: load_json(clocks / f"{seed}.json") for seed in options.seeds})
    finish(runs, f"data/retrain/{item}")


if __name__ == "__main__":
    main(retrain_stage)
