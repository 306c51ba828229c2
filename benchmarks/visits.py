"""Measures what trainings that choose as they go cost and reach: images visited and test accuracy, against plain
training, and at equal visits against random choices.

    python benchmarks/visits.py [--images FOLDER] [--first 10000] [--network resnet8] [--width 16] [--epochs 15]
                                [--seeds 3] [--flip] [--out .bench/visits.json]

InfoBatch trains first. RS2 and the shorter training then make as many visits as InfoBatch did. FOLDER holds train and
test parquet files; without it, scikit-learn's digits: a minute. Finished runs stay beside --out: a call
that was interrupted goes on there.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from winnow.analysis.comparison import welch_interval
from winnow.datasets.build import build
from winnow.params.download import Download
from winnow.params.training import Augment, Network, Training
from winnow.storage import load_table, save_json
from winnow.training.batches import DeviceImages, to_device
from winnow.training.choosing import plan_of
from winnow.training.device import chosen_device
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.retrain import keep_outputs, results
from winnow.training.schedule import make_schedule


@dataclass(frozen=True)
class Setting:
    """What all methods have in common."""

    folder: Path
    images: DeviceImages
    test: DeviceImages
    classes: int
    network: Network
    training: Training
    seeds: list[int]


def measured(setting: Setting, name: str, method: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Train every seed in a way, and give visits (mean over seeds) and the accuracies. method: None for plain."""
    images, training, folder = setting.images, setting.training, setting.folder / name
    schedule = make_schedule(training, len(images))
    plan = plan_of(method, options, len(images), schedule.epochs) if method else None
    schedule = schedule.stretched(plan.length if plan else 1.0)
    begin = fresh(setting.network, images, setting.classes, plan=plan)
    task = Task(images, training, schedule, begin)
    fit_side_by_side({folder: task}, setting.seeds, name, keep_outputs({"test": setting.test}))
    accuracies = results(folder, setting.seeds, {"test": setting.test.labels.cpu().numpy()})["accuracy"]
    tables = [load_table(folder / f"seed{seed}" / "history.csv") for seed in setting.seeds]
    whole = schedule.total * training.batch_size
    visits = [float(table["visits"].sum()) if "visits" in table else whole for table in tables]
    return {"visits": float(np.mean(visits)), "accuracies": accuracies.tolist()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", help="a folder with train and test parquet files")
    parser.add_argument("--first", type=int, help="use only the first so many training images")
    parser.add_argument("--network", default="convnet")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--flip", action="store_true", help="mirror half of the images")
    parser.add_argument("--crop", type=int, default=1, help="pixels of padding of random crops")
    parser.add_argument("--out", type=Path, default=Path(".bench/visits.json"))
    given = parser.parse_args()
    source = {"source": "parquet", "path": given.images} if given.images else {"source": "digits"}
    dataset, device = build(Download(**source, first=given.first, validation=0.0)), chosen_device()
    facts = {"mean": dataset.mean, "std": dataset.std}
    train, test = (to_device(dataset.splits[name], facts, device) for name in ("train", "test"))
    training = Training(
        length=f"{given.epochs} epochs",
        batch_size=given.batch,
        warmup="1 epoch",
        decay_at=[f"{given.epochs // 2} epochs", f"{4 * given.epochs // 5} epochs"],
        augment=Augment(crop=given.crop, flip=given.flip),
    )
    network = Network(name=given.network, width=given.width)
    folder = given.out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    setting = Setting(folder, train, test, len(dataset.class_names), network, training, list(range(given.seeds)))
    plain = measured(setting, "plain", None, {})
    infobatch = measured(setting, "infobatch", "infobatch", {})
    keep = infobatch["visits"] / plain["visits"]
    found = {"plain": plain, "infobatch": infobatch}
    for name in ("plain", "infobatch", "rs2", "shorter"):
        entry = found[name] = found.get(name) or measured(setting, name, name, {"keep": keep})
        own, whole = np.array(entry["accuracies"]), np.array(plain["accuracies"])
        entry |= {"share": entry["visits"] / plain["visits"], "interval": welch_interval(own, whole)}
        low, high = (100 * end for end in entry["interval"])
        print(f"{name}: {100 * entry['share']:.1f}% of the visits, accuracy {100 * own.mean():.2f}%", end=", ")
        print(f"minus plain {100 * (own.mean() - whole.mean()):+.2f} points [{low:+.2f}, {high:+.2f}]", flush=True)
    save_json(given.out, found)


if __name__ == "__main__":
    main()
