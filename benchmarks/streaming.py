"""Measures download and training with images that stay encoded against images that are decoded into a map first.

    python benchmarks/streaming.py [--images 2000] [--side 128] [--size 64] [--networks convnet resnet8 resnet20]
                                   [--epochs 1 5] [--turns 3] [--out .bench/streaming.json]

The images are JPEG files of --side pixels in one tar file, smooth with some noise, resized to --size. Both ways take
turns in one process, on two cores: download, then a training of one epoch, by one thread, as each of Winnow's on a CPU.
A run of k epochs is one download and k such epochs. Seconds of the processor count the threads that decode; where a
core is idle, the wall's seconds do not. After training, the weights of both must be the same bytes.
"""

import argparse
import io
import json
import os
import shutil
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from winnow.datasets import decode  # noqa: F401 (imported before the clock starts)
from winnow.datasets.build import build
from winnow.datasets.images import load_facts, load_split, save_dataset
from winnow.networks import initialise
from winnow.params.download import Download
from winnow.params.training import Augment, Network, Training
from winnow.training.batches import to_device
from winnow.training.loop import Beginning, start, train_epoch
from winnow.training.memory import keep_freed_memory
from winnow.training.schedule import make_schedule

CORES, CLASSES, TEST = 2, 10, 20
TARGET = 0.9
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}
KEEPS = ("pixels", "encoded")
BATCH = 64


def write_images(folder: Path, count: int, side: int) -> None:
    """train.tar and test.tar."""
    from PIL import Image

    stream = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for part, size in (("train", count), ("test", TEST)):
        with tarfile.open(folder / f"{part}.tar", "w") as archive:
            for row in range(size):
                coarse = Image.fromarray(stream.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((side, side))
                noisy = np.asarray(coarse) + stream.normal(0, 8, (side, side, 3))
                written = io.BytesIO()
                Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(written, "jpeg", quality=90)
                for ending, data in (("jpg", written.getvalue()), ("cls", str(row % CLASSES).encode())):
                    member = tarfile.TarInfo(f"{row:06d}.{ending}")
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))


def timed(work: Callable[[], object], images: int) -> dict[str, float]:
    """Milliseconds an image, by each clock."""
    begun = {name: clock() for name, clock in CLOCKS.items()}
    work()
    return {name: 1000 * (clock() - begun[name]) / images for name, clock in CLOCKS.items()}


def download(folder: Path, keep: str, size: int) -> None:
    options = {"source": "webdataset", "path": str(folder / "images"), "keep": keep, "size": [size, size]}
    save_dataset(folder / keep, build(Download.model_validate(options | {"validation": 0.0})), {})


def train(folder: Path, keep: str, name: str) -> torch.nn.Module:
    plan = Training(length="1 epochs", batch_size=BATCH, augment=Augment(crop=4, flip=True), warmup="0 steps")
    images = to_device(load_split(folder / keep, "train"), load_facts(folder / keep), torch.device("cpu"))
    network = initialise(Network.model_validate({"name": name}), CLASSES, images.shape, seed=0)
    train_epoch([start(Beginning(network, 0), folder / "run")], images, plan, make_schedule(plan, len(images)))
    return network


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Encoded images against decoded ones.")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--networks", nargs="+", default=["convnet", "resnet8", "resnet20"])
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(".bench/streaming.json"))
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    torch.set_num_threads(1)
    keep_freed_memory()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(dir=options.out.parent) as name:
        folder = Path(name)
        write_images(folder / "images", options.images, options.side)
        for turn in range(options.turns + 1):  # the first does not count
            for keep in KEEPS:
                shutil.rmtree(folder / keep, ignore_errors=True)
                spent = timed(lambda: download(folder, keep, options.size), options.images)  # noqa: B023
                found.setdefault(f"download {keep}", []).extend([spent] * (turn > 0))
            for network in options.networks:
                trained = {}
                for keep in KEEPS:

                    def work() -> None:
                        trained[keep] = train(folder, keep, network).state_dict()  # noqa: B023

                    spent = timed(work, options.images)
                    found.setdefault(f"{network} {keep}", []).extend([spent] * (turn > 0))
                assert all(torch.equal(trained["pixels"][part], trained["encoded"][part]) for part in trained["pixels"])
        sizes = {keep: (folder / keep / "train.safetensors").stat().st_size / options.images for keep in KEEPS}
    middle = {
        step: {clock: statistics.median(turn[clock] for turn in turns) for clock in CLOCKS}
        for step, turns in found.items()
    }
    print("milliseconds an image (median), and bytes an image on the disk")
    for step, spent in middle.items():
        print(f"{step:20} " + " ".join(f"{clock} {value:.2f}" for clock, value in spent.items()))
    print(" ".join(f"{keep}: {size:.0f}" for keep, size in sizes.items()))
    print(f"images a second of download and k epochs, encoded over pixels; wanted {TARGET}")
    for network in options.networks:
        for k in options.epochs:
            whole = {
                keep: {
                    clock: middle[f"download {keep}"][clock] + k * middle[f"{network} {keep}"][clock]
                    for clock in CLOCKS
                }
                for keep in KEEPS
            }
            rates = " ".join(f"{clock} {whole['pixels'][clock] / whole['encoded'][clock]:.2f}" for clock in CLOCKS)
            print(f"{network:10} k = {k}  {rates}", flush=True)
    options.out.write_text(json.dumps({"turns": found, "bytes": sizes}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
