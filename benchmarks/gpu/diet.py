"""Data Diet at the paper's network and data, as far as the time allows: scores of CIFAR-10, then training on subsets.

    python benchmarks/gpu/diet.py FOLDER --out OUT [--seconds 500] [--tiny]

FOLDER holds train.parquet and test.parquet (columns image and label). OUT gets scores.parquet, one row an image, and
diet.json: how long the scores took, and the test accuracy of every network, written after each subset. Ten ResNet-18
train for 20 epochs of a schedule of 200 (Paul, Ganguli, Dziugaite 2021, sec. 2). The subsets' trainings all take the
same number of steps, with the paper's schedule scaled to what the seconds allow.
"""

import json
import time
from pathlib import Path
from typing import Any

import cifar
import numpy as np
import pandas as pd
import torch
from cifar import FACTS, WHERE

from winnow.autograd.gradient_norms import gradient_norms
from winnow.datasets.images import Images
from winnow.networks import initialise
from winnow.params.training import Augment, Network, Training
from winnow.training.batches import DeviceImages, normalise, to_device
from winnow.training.evaluate import accuracy, log_probabilities
from winnow.training.loop import Beginning, Run, graphed_steps, start, train_epoch
from winnow.training.schedule import Schedule, make_schedule

BEGIN = time.perf_counter()
GRAND_SEEDS = 3


def training(epochs: int, images: int) -> Training:
    """The paper's, with a schedule of so many epochs over so many images."""
    decay = [f"{round(at * epochs / 200 * (images // 128))} steps" for at in (60, 120, 160)]
    augment = Augment(crop=4, flip=True)
    return Training(length=f"{epochs} epochs", batch_size=128, decay_at=decay, decay=0.2, augment=augment)


def new_runs(network: str, seeds: range) -> list[Run]:
    return [
        start(Beginning(initialise(Network(name=network), 10, (3, 32, 32), seed).to(WHERE), seed), Path())
        for seed in seeds
    ]


def to_the_end(runs: list[Run], images: DeviceImages, how: Training, schedule: Schedule, after: Any = None) -> None:
    steps = graphed_steps(runs, how) if WHERE.type == "cuda" else None
    while runs[0].step < schedule.total:
        if steps is None:
            for run in runs:
                train_epoch([run], images, how, schedule)
        else:
            train_epoch(runs, images, how, schedule, steps)
        if after:
            after(runs)


def grand(run: Run, images: DeviceImages) -> np.ndarray:
    network = run.network.eval()
    parts = [gradient_norms(network, normalise(x, images), y).cpu().numpy() for x, y in images.in_order(500)]
    return np.concatenate(parts)


def scores(network: str, images: DeviceImages, seeds: range, epochs: tuple[int, ...]) -> tuple[pd.DataFrame, Any]:
    table, took = {}, {}
    one_hot = np.eye(10, dtype=np.float32)[images.labels.cpu().numpy()]
    runs = new_runs(network, seeds)
    began = time.perf_counter()
    for run in runs[:GRAND_SEEDS]:
        table[f"grand_epoch0_seed{run.seed}"] = grand(run, images)
    took["GraNd of one network, all images"] = (time.perf_counter() - began) / GRAND_SEEDS
    spent = {"scoring": 0.0}

    def after(runs: list[Run]) -> None:
        began = time.perf_counter()
        for run in runs:
            assert run.correct is not None
            run.record("correct", run.correct)
            if run.epoch in epochs:
                outputs = log_probabilities(run.network, images)
                table[f"el2n_epoch{run.epoch}_seed{run.seed}"] = np.linalg.norm(np.exp(outputs) - one_hot, axis=1)
        spent["scoring"] += time.perf_counter() - began

    how = training(200, len(images))
    began = time.perf_counter()
    to_the_end(runs, images, how, make_schedule(how, len(images)).until(epochs[-1]), after)
    took["all of it: training and scoring"] = time.perf_counter() - began
    took["scoring alone"] = spent["scoring"]
    for run in runs:
        table[f"correct_visits_seed{run.seed}"] = (np.stack(run.records["correct"]) == 1).sum(0).astype(np.uint8)
    return pd.DataFrame(table), took


def main() -> None:
    options = cifar.words(__doc__).parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    source = cifar.images(options.folder, options.tiny)
    train: Images = source.train
    images, test = to_device(train, FACTS, WHERE), to_device(source.test, FACTS, WHERE)
    network, seeds, epochs = ("resnet8", range(2), (1, 2)) if options.tiny else ("resnet18", range(10), (10, 20))
    about: dict[str, Any] = {
        "device": cifar.device_name(),
        "torch": torch.__version__,
        "read": time.perf_counter() - BEGIN,
    }
    print(f"images read after {about['read']:.1f} s", flush=True)
    table, about["seconds"] = scores(network, images, seeds, epochs)
    print(about["seconds"], flush=True)
    for score in (f"el2n_epoch{epochs[-1]}", "grand_epoch0"):
        columns = [column for column in table if column.startswith(score + "_")]
        table[score] = table[columns].mean(axis=1)
    table.insert(0, "label", train.labels)
    table.insert(0, "id", train.ids)
    table.to_parquet(options.out / "scores.parquet", compression="zstd")

    order = {
        "random": np.random.default_rng(0).permutation(len(train)),
        "el2n": np.argsort(-table[f"el2n_epoch{epochs[-1]}"].to_numpy(), kind="stable"),
        "grand": np.argsort(-table["grand_epoch0"].to_numpy(), kind="stable"),
    }
    arms = [("random", 1.0), ("random", 0.5), ("el2n", 0.5), ("random", 0.3), ("el2n", 0.3), ("grand", 0.5)]
    about["results"], length = [], 2 if options.tiny else 0
    left = options.seconds - (time.perf_counter() - BEGIN)
    if not length:  # a network's epoch takes 0.86 s beside two others, its test 1 s, its graph 1 s
        length = max(1, min(40, int((left / len(arms) / 3 - 2.0) / 0.9)))
    about["epochs"] = length
    print(f"{left:.0f} s left: {length} epochs", flush=True)
    for method, fraction in arms:
        began = time.perf_counter()
        rows = np.sort(order[method][: round(fraction * len(train))])
        subset, how = to_device(train.take(rows), FACTS, WHERE), training(length, len(train))
        schedule = make_schedule(how, len(subset), len(train))
        runs = new_runs(network, range(100, 103))
        to_the_end(runs, subset, how, schedule)
        found = [accuracy(log_probabilities(run.network, test), test.labels.cpu().numpy()) for run in runs]
        about["results"].append({"method": method, "fraction": fraction, "steps": schedule.total, "accuracy": found})
        (options.out / "diet.json").write_text(json.dumps(about, indent=1) + "\n")
        print(f"{method} {fraction}: {np.round(found, 4)} in {time.perf_counter() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
