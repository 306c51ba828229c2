"""Measures download and training with images that stay encoded against images that are decoded into a map first.

    python benchmarks/streaming.py [--images 2000] [--side 128] [--size 64] [--networks resnet20] [--epochs 1 2 5]
                                   [--turns 3] [--out .bench/streaming.json]

The images are JPEG files of --side pixels in one tar file, smooth with some noise, resized to --size. A run is all that
a user waits for: download, then a training of so many epochs, each in a process of its own with two cores. The training
uses one, as each of Winnow's on a CPU does; its decoding threads may use the other. The two ways take turns. The
weights after training are compared: they must be the same bytes.
"""

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
from timing import ratio

CORES, CLASSES, TEST = 2, 10, 20
TARGET = 0.9
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


def work(step: str, keep: str, folder: Path, size: int, network: str, epochs: int) -> None:
    """Download, or train. Prints the seconds of the work itself, the processor's seconds, and a hash of the weights."""
    import torch

    from winnow.datasets.build import build
    from winnow.datasets.images import load_facts, load_split, save_dataset
    from winnow.networks import initialise
    from winnow.params.download import Download
    from winnow.params.training import Augment, Network, Training
    from winnow.training.batches import to_device
    from winnow.training.loop import Beginning, start, train
    from winnow.training.memory import keep_freed_memory
    from winnow.training.schedule import make_schedule

    torch.set_num_threads(1)
    keep_freed_memory()
    begun, used, digest = time.perf_counter(), time.process_time(), ""
    if step == "download":
        options = {"source": "webdataset", "path": str(folder / "images"), "keep": keep, "size": [size, size]}
        save_dataset(folder / keep, build(Download.model_validate(options | {"validation": 0.0})), {})
    else:
        plan = Training(
            length=f"{epochs} epochs", batch_size=BATCH, augment=Augment(crop=4, flip=True), warmup="0 steps"
        )
        images = to_device(load_split(folder / keep, "train"), load_facts(folder / keep), torch.device("cpu"))
        module = initialise(Network.model_validate({"name": network}), CLASSES, images.shape, seed=0)
        run = start(Beginning(module, 0), folder / "run")
        run.working.mkdir(exist_ok=True)
        for _ in train([run], images, plan, make_schedule(plan, len(images)), lambda steps: None):
            pass
        run.state.unlink()
        weights = [tensor.numpy().tobytes() for tensor in module.state_dict().values()]
        digest = hashlib.sha256(b"".join(weights)).hexdigest()
    seconds, processor = time.perf_counter() - begun, time.process_time() - used
    print(json.dumps({"seconds": seconds, "processor": processor, "weights": digest}))


def measured(step: str, keep: str, folder: Path, size: int, network: str, epochs: int) -> dict[str, float | str]:
    """``work`` in a process of its own, on CORES cores."""
    command = [sys.executable, __file__, "--work", step, keep, str(folder), str(size), network, str(epochs)]
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, cores)
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Encoded images against decoded ones.")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--networks", nargs="+", default=["resnet20"])
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 2, 5])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(".bench/streaming.json"))
    parser.add_argument("--work", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        step, keep, folder, size, network, epochs = options.work
        return work(step, keep, Path(folder), int(size), network, int(epochs))

    record = {}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    print("images a second of download and training, encoded against decoded first; seconds of each")
    with tempfile.TemporaryDirectory(dir=options.out.parent) as name:
        folder = Path(name)
        write_images(folder / "images", options.images, options.side)
        for network in options.networks:
            for epochs in options.epochs:
                found: dict[str, list[list[dict[str, float | str]]]] = {"pixels": [], "encoded": []}
                for _ in range(options.turns):
                    for keep, turns in found.items():
                        about = (keep, folder, options.size, network, epochs)
                        turns.append([measured(step, *about) for step in ("download", "training")])
                assert len({turn[1]["weights"] for turns in found.values() for turn in turns}) == 1
                whole = {
                    clock: {
                        keep: [sum(float(step[clock]) for step in turn) for turn in turns]
                        for keep, turns in found.items()
                    }
                    for clock in ("seconds", "processor")
                }
                rates = {clock: ratio(each["pixels"], each["encoded"], TARGET) for clock, each in whole.items()}
                record[f"{network}, {epochs} epochs"] = {"rates": rates, "turns": found}
                shown = " ".join(
                    f"{clock}: {rate['median']:.2f} ({rate['lower_quartile']:.2f} to {rate['upper_quartile']:.2f})"
                    for clock, rate in rates.items()
                )
                steps = {
                    keep: " + ".join(f"{min(float(turn[step]['seconds']) for turn in turns):.1f}" for step in (0, 1))
                    for keep, turns in found.items()
                }
                print(f"{network:10} {epochs} epochs  {shown}  {steps} s", flush=True)
        sizes = {keep: (folder / keep / "train.safetensors").stat().st_size for keep in ("pixels", "encoded")}
    print(f"on the disk: {sizes['pixels'] / 2**20:.1f} MiB of pixels, {sizes['encoded'] / 2**20:.1f} MiB encoded")
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
