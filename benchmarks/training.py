"""Times the training of networks against its alternatives, all in one run, and prints ratios.

    python benchmarks/training.py [--quick] [--out .bench/training.json]

The alternatives take turns, so that whatever else the machine does meets them all alike; a ratio is that of two
neighbouring measurements, given as the median and the quartiles of all turns. For a quiet machine, "best" divides the
shortest times. Images are CIFAR-10's if WINNOW_CIFAR10, or ../shared/data/cifar10 beside the project, names a folder
with train.parquet and test.parquet (columns image and label), else noise of that shape, which takes as long.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
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
from winnow.datasets.parquet import read
from winnow.networks import initialise
from winnow.params.download import Download
from winnow.params.training import Augment, Network, Training
from winnow.training.batches import DeviceImages, to_device
from winnow.training.device import device, workers
from winnow.training.loop import Run, start, train_epoch
from winnow.training.schedule import schedule
from winnow.training.workers import Tick, side_by_side

CLASSES, SHAPE = 10, (3, 32, 32)
FACTS = {"mean": [0.491, 0.482, 0.447], "std": [0.247, 0.243, 0.262]}
TRAINING = Training(length="1000 epochs", batch_size=128, augment=Augment(crop=4, flip=True))
CPU = torch.device("cpu")
CORES = workers(CPU)


def pictures(count: int) -> tuple[Images, str]:
    """Training images, and what they are."""
    folder = os.environ.get("WINNOW_CIFAR10") or Path(__file__).parents[2] / "shared" / "data" / "cifar10"
    if Path(folder, "train.parquet").exists():
        return read(Download(source="parquet", path=str(folder), first=count, first_test=1)).train, "CIFAR-10"
    draws = np.random.default_rng(0)
    pixels = draws.integers(0, 256, (count, *SHAPE), np.uint8)
    rows = np.arange(count)
    return Images(pixels, draws.integers(0, CLASSES, count), rows.astype(str), rows), "noise of CIFAR-10's shape"


def new_run(name: str, seed: int, where: torch.device) -> Run:
    return start(seed, initialise(Network(name=name), CLASSES, SHAPE, seed), TRAINING, where, Path())


def epoch(runs: list[Run], images: DeviceImages) -> None:
    train_epoch(runs, images, TRAINING, schedule(TRAINING, len(images)))


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
    count = steps * TRAINING.batch_size
    images, source = pictures(count)
    on_device = to_device(images, FACTS, CPU)
    loader = DataLoader(
        PilImages(images), TRAINING.batch_size, shuffle=True, num_workers=CORES, drop_last=True, persistent_workers=True
    )
    fixed = torch.randn(TRAINING.batch_size, *SHAPE), torch.randint(CLASSES, (TRAINING.batch_size,))
    run = new_run("resnet20", 0, CPU)
    usual, usual_last, bare = (
        usual_loop(layout) for layout in (torch.contiguous_format, torch.channels_last, torch.channels_last)
    )
    calls = {
        "winnow": lambda: epoch([run], on_device),
        "DataLoader": lambda: usual(loader),
        "DataLoader, channels last": lambda: usual_last(loader),
        "one fixed batch": lambda: bare([fixed] * steps),
    }
    seconds = take_turns(calls, turns)
    return {name: [s / count for s in values] for name, values in seconds.items()}, source


def cohort(way: str, steps: int) -> float:
    """Seconds to train five seeds, in this process, which must have done nothing yet: it forks."""
    images = to_device(pictures(steps * TRAINING.batch_size)[0], FACTS, CPU)
    begin = time.perf_counter()
    if way == "side by side":
        side_by_side(train_seed(images), range(5), CORES, 5 * steps, way)
    else:
        torch.set_num_threads(CORES)
        for seed in range(5):
            train_seed(images)(seed, lambda steps: None)
    return time.perf_counter() - begin


def train_seed(images: DeviceImages) -> Callable[[int, Tick], None]:
    return lambda seed, tick: epoch([new_run("resnet20", seed, CPU)], images)


def five_seeds(steps: int, turns: int) -> dict[str, list[float]]:
    def call(way: str) -> float:
        command = [sys.executable, __file__, "--cohort", way, str(steps)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    ways = ("side by side", "one after another")
    seconds = [[call(way) for way in ways] for _ in range(turns)]
    return {way: list(values) for way, values in zip(ways, zip(*seconds, strict=True), strict=True)}


def ten_seeds(where: torch.device, steps: int, turns: int) -> dict[str, list[float]]:
    """Seconds per image and network of ten ResNet-18 on a CUDA device."""
    count = steps * TRAINING.batch_size
    images = to_device(pictures(count)[0], FACTS, where)
    together, apart = ([new_run("resnet18", seed, where) for seed in range(10)] for _ in range(2))

    def one_after_another() -> None:
        for run in apart:
            epoch([run], images)

    seconds = take_turns({"together": lambda: epoch(together, images), "one after another": one_after_another}, turns)
    return {name: [s / count / 10 for s in values] for name, values in seconds.items()}


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Time the training of networks against its alternatives.")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--out", type=Path, default=Path(".bench/training.json"))
    parser.add_argument("--cohort", nargs=2, metavar=("WAY", "STEPS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cohort:
        sys.stdout.write(f"{cohort(options.cohort[0], int(options.cohort[1]))}\n")
        return

    one, source = one_network(*((4, 3) if options.quick else (8, 7)))
    five = five_seeds(*((3, 1) if options.quick else (5, 5)))
    results = {
        "resnet20: rate over DataLoader": ratio(one["DataLoader"], one["winnow"], 1.1),
        "the same, in channels last": ratio(one["DataLoader, channels last"], one["winnow"], 0.0),
        "resnet20: rate over one fixed batch": ratio(one["one fixed batch"], one["winnow"], 0.95),
        "5 seeds side by side over in turn": ratio(five["one after another"], five["side by side"], 1.1),
    }
    seconds = {"one resnet20, per image": one, "five resnet20": five}
    print(f"{CORES} cores, torch {torch.__version__}, batches of {TRAINING.batch_size}, images: {source}")
    where = device()
    if where.type == "cuda":
        ten = ten_seeds(where, *((20, 3) if options.quick else (100, 7)))
        results["10 resnet18 together over in turn"] = ratio(ten["one after another"], ten["together"], 3.0)
        seconds["ten resnet18, per image and network"] = ten
    else:
        print("10 resnet18 seeds as one computation: not measured, there is no CUDA device")
    for name, r in results.items():
        target = f"   (target {r['target']:g})" if r["target"] else ""
        spread = f"{r['lower_quartile']:.2f} to {r['upper_quartile']:.2f}"
        print(f"{name:36} {r['median']:7.2f}   {spread:16} best {r['best']:6.2f}{target}")
    for what, ways in seconds.items():
        for way, values in ways.items():
            print(f"{what}, {way}: {1000 * statistics.median(values):.3g} ms")

    options.out.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "cores": CORES,
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "batch": TRAINING.batch_size,
        "images": source,
        "ratios": results,
        "seconds": seconds,
    }
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
