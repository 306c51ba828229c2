"""Times the training of networks against its alternatives, all in one run, and prints ratios.

    python benchmarks/training.py [--quick] [--out .bench/training.json]

The alternatives take turns, so that whatever else the machine does meets them all alike; a ratio is that of two
neighbouring measurements, given as the median and the quartiles of all turns. For a quiet machine, "best" divides the
shortest times. Images are CIFAR-10's if WINNOW_CIFAR10, or ../shared/data/cifar10 beside the project, names a folder
with train.parquet and test.parquet (columns image and label), else noise of that shape, which takes as long.

A stage keeps the memory that it frees (training/memory.py), which makes any loop faster. Ways to train one network have
this in common. Five seeds one after another are timed both as torch comes and with it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timing import ratio, take_turns
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from winnow.datasets.images import Images
from winnow.datasets.sources.parquet import parquet
from winnow.networks import initialise
from winnow.params.download import Download
from winnow.params.training import Augment, Network, Training
from winnow.progress import Bar
from winnow.training.batches import DeviceImages, to_device
from winnow.training.device import workers
from winnow.training.early import keep_epochs, keep_visits
from winnow.training.fit import Task, fit, fresh
from winnow.training.loop import Beginning, Run, hold, start, train_epoch
from winnow.training.memory import keep_freed_memory
from winnow.training.schedule import make_schedule
from winnow.training.workers import Tick, side_by_side

CLASSES, SHAPE = 10, (3, 32, 32)
FACTS = {"mean": [0.491, 0.482, 0.447], "std": [0.247, 0.243, 0.262]}
TRAINING = Training(length="1000 epochs", batch_size=128, augment=Augment(crop=4, flip=True))
KEPT = 0.8**5  # the fraction of weights left at the fifth level of pruning a fifth of them
SEEDS = range(5)
CPU = torch.device("cpu")
CORES = workers(CPU)


def pictures(count: int) -> tuple[Images, str]:
    """Training images, and what they are."""
    folder = os.environ.get("WINNOW_CIFAR10") or Path(__file__).parents[2] / "shared" / "data" / "cifar10"
    if Path(folder, "train.parquet").exists():
        return parquet(Download(source="parquet", path=str(folder), first=count, first_test=1)).train, "CIFAR-10"
    draws = np.random.default_rng(0)
    pixels = draws.integers(0, 256, (count, *SHAPE), np.uint8)
    rows = np.arange(count)
    return Images(pixels, draws.integers(0, CLASSES, count), rows.astype(str), rows), "noise of CIFAR-10's shape"


def new_run(name: str, seed: int, where: torch.device, kept: float = 1) -> Run:
    network, draws = initialise(Network(name=name), CLASSES, SHAPE, seed), torch.Generator().manual_seed(seed)
    prunable = {name: weight for name, weight in network.named_parameters() if weight.dim() > 1} if kept < 1 else {}
    mask = {name: torch.rand(weight.shape, generator=draws) < kept for name, weight in prunable.items()}
    return start(Beginning(network.to(where), seed, mask), Path())


def epoch(runs: list[Run], images: DeviceImages) -> None:
    train_epoch(runs, images, TRAINING, make_schedule(TRAINING, len(images)))


# The usual way: images one by one through PIL, as torchvision's own CIFAR10 class and its examples have it.


class PilImages(Dataset[tuple[Tensor, int]]):
    def __init__(self, images: Images) -> None:
        from torchvision import transforms

        self.pixels, self.labels = images.pixels.transpose(0, 2, 3, 1).copy(), images.labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(32, 4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(FACTS["mean"], FACTS["std"]),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        from PIL import Image

        return self.transform(Image.fromarray(self.pixels[row])), self.labels[row]


def usual_loop(layout: torch.memory_format) -> Callable[[Any], None]:
    """A training loop over batches (inputs, labels), with a network of its own."""
    network = initialise(Network(name="resnet20"), CLASSES, SHAPE, 0).to(memory_format=layout).train()  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)

    def run(batches: Any) -> None:
        for inputs, labels in batches:
            optimizer.zero_grad()
            functional.cross_entropy(network(inputs.contiguous(memory_format=layout)), labels).backward()
            optimizer.step()

    return run


def one_network(steps: int, turns: int) -> tuple[dict[str, list[float]], str]:
    """Seconds per image of each way to train one ResNet-20 with all cores."""
    torch.set_num_threads(CORES)
    keep_freed_memory()
    count = steps * TRAINING.batch_size
    images, source = pictures(count)
    on_device = to_device(images, FACTS, CPU)
    loader = DataLoader(
        PilImages(images), TRAINING.batch_size, shuffle=True, num_workers=CORES, drop_last=True, persistent_workers=True
    )
    fixed = torch.randn(TRAINING.batch_size, *SHAPE), torch.randint(CLASSES, (TRAINING.batch_size,))
    run, pruned = new_run("resnet20", 0, CPU), new_run("resnet20", 0, CPU, KEPT)
    usual, usual_last, bare = (
        usual_loop(layout) for layout in (torch.contiguous_format, torch.channels_last, torch.channels_last)
    )

    def on_one_core() -> None:
        torch.set_num_threads(1)
        epoch([run], on_device)
        torch.set_num_threads(CORES)

    def masks_alone() -> None:
        for _ in range(steps):
            hold(pruned)

    calls = {
        "winnow": lambda: epoch([run], on_device),
        "winnow, on one core": on_one_core,
        "winnow, with masks": lambda: epoch([pruned], on_device),
        "masks alone": masks_alone,
        "DataLoader": lambda: usual(loader),
        "DataLoader, channels last": lambda: usual_last(loader),
        "one fixed batch": lambda: bare([fixed] * steps),
    }
    seconds = take_turns(calls, turns)
    return {name: [s / count for s in values] for name, values in seconds.items()}, source


WAYS = ("side by side", "one after another", "one after another, memory kept")


def cohort(way: str, epochs: int, steps: int) -> float:
    """Seconds to train five seeds as the stage early does, in this process, which must have done nothing yet: it forks.

    An epoch has so many steps; the outputs of all images are kept before the first, at half of them and at the end.
    """
    images = to_device(pictures(steps * TRAINING.batch_size)[0], FACTS, CPU)
    scored = [0, epochs // 2, epochs]
    schedule = make_schedule(TRAINING, len(images)).until(epochs)
    validation = to_device(pictures(steps * TRAINING.batch_size // 10)[0], FACTS, CPU)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        task = Task(images, TRAINING, schedule, fresh(Network(name="resnet20"), images, CLASSES))
        keep = keep_epochs(images, validation, scored)

        def work(seed: int, tick: Tick) -> None:
            fit(task, [seed], folder, tick, keep_visits(len(images)), keep)

        begin = time.perf_counter()
        if way == "side by side":
            side_by_side(work, SEEDS, CORES, Bar(len(SEEDS) * schedule.total, way))
        else:
            torch.set_num_threads(CORES)
            if way == "one after another, memory kept":
                keep_freed_memory()
            for seed in SEEDS:
                work(seed, lambda steps: None)
        return time.perf_counter() - begin


def five_seeds(epochs: int, steps: int, turns: int) -> dict[str, list[float]]:
    def call(way: str) -> float:
        command = [sys.executable, __file__, "--cohort", way, str(epochs), str(steps)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    seconds = [[call(way) for way in WAYS] for _ in range(turns)]
    return {way: list(values) for way, values in zip(WAYS, zip(*seconds, strict=True), strict=True)}


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Time the training of networks against its alternatives.")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--out", type=Path, default=Path(".bench/training.json"))
    parser.add_argument("--cohort", nargs=3, metavar=("WAY", "EPOCHS", "STEPS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cohort:
        sys.stdout.write(f"{cohort(options.cohort[0], *map(int, options.cohort[1:]))}\n")
        return

    one, source = one_network(*((4, 3) if options.quick else (8, 7)))
    epochs, steps, turns = (2, 3, 1) if options.quick else (6, 3, 3)
    five = five_seeds(epochs, steps, turns)
    results = {
        "resnet20: rate over DataLoader": ratio(one["DataLoader"], one["winnow"], 1.1),
        "the same, in channels last": ratio(one["DataLoader, channels last"], one["winnow"], 0.0),
        "resnet20: rate over one fixed batch": ratio(one["one fixed batch"], one["winnow"], 0.95),
        "resnet20: rate with masks over dense": ratio(one["winnow"], one["winnow, with masks"], 0.95),
        f"resnet20: rate on {CORES} cores over one": ratio(one["winnow, on one core"], one["winnow"], 0.0),
        "5 seeds side by side over in turn": ratio(five["one after another"], five["side by side"], 1.1),
        "the same, in turn with memory kept": ratio(five[WAYS[2]], five["side by side"], 0.0),
    }
    masks = statistics.median(a / b for a, b in zip(one["masks alone"], one["winnow"], strict=True))
    seconds = {"one resnet20, per image": one, "five resnet20": five}
    print(f"{CORES} cores, torch {torch.__version__}, batches of {TRAINING.batch_size}, images: {source}")
    for name, r in results.items():
        target = f"   (target {r['target']:g})" if r["target"] else ""
        spread = f"{r['lower_quartile']:.2f} to {r['upper_quartile']:.2f}"
        print(f"{name:36} {r['median']:7.2f}   {spread:16} best {r['best']:6.2f}{target}")
    print(f"holding pruned weights at zero: {masks:.1%} of a step   (target at most 5%)")
    print(f"five seeds: {epochs} epochs of {steps} steps each")
    for what, ways in seconds.items():
        for way, values in ways.items():
            print(f"{what}, {way}: {1000 * statistics.median(values):.3g} ms")

    options.out.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "cores": CORES,
        "torch": torch.__version__,
        "batch": TRAINING.batch_size,
        "images": source,
        "ratios": results,
        "masks": masks,
        "cohort": {"epochs": epochs, "steps": steps},
        "seconds": seconds,
    }
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
