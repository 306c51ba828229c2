"""Measures the memory that reading, training and GraNd take with n and with 4 n images, and prints it as a table.

    python benchmarks/memory.py [--quick] [--out .bench/memory.json]

Every measurement is a process of its own. What counts is its anonymous memory (RssAnon of /proc/self/status, its
highest in samples 2 ms apart, less what it was when the libraries were imported). A memory map's pages also count as
resident while they are in the system's file cache, but belong to the file: the system drops them when it needs room.

The last run trains on a set that is larger than the memory which the process may have at all (RLIMIT_DATA, which holds
for anonymous memory and not for maps of files), and shows that reading the same file whole fails there. Linux only.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np

SHAPE, CLASSES = (3, 32, 32), 10
SIZE = int(np.prod(SHAPE))  # bytes of an image
MIB = 2**20
ROOM = 256 * MIB  # that the process of the last run may take beside what its libraries have
LIMITED_LENGTH = "50 steps"  # of its training


def noise(count: int) -> Iterator[np.ndarray]:
    """Chunks of images, uint8 [b, c, h, w]: the same 1,000 over and over, as their content changes nothing here."""
    chunk = np.random.default_rng(0).integers(256, size=(1000, *SHAPE), dtype=np.uint8)
    for start in range(0, count, len(chunk)):
        yield chunk[: count - start]


def write_set(folder: Path, count: int) -> None:
    """A data set as the download stage leaves it, as far as training reads it."""
    from winnow.storage import save_json, save_rows, save_tensors

    save_rows(folder / "train.safetensors", "pixels", (count, *SHAPE), noise(count))
    save_tensors(folder / "labels.safetensors", {"labels": np.arange(count) % CLASSES})
    save_json(folder / "dataset.json", {"mean": [0.5] * 3, "std": [0.3] * 3})


def write_encoded(folder: Path, count: int) -> None:
    """PNG files in class folders, and the same in parquet files of one row group: the worst case for a reader."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    encoded = []
    for image in next(noise(1000)):
        buffer = BytesIO()
        Image.fromarray(image.transpose(1, 2, 0)).save(buffer, "png", compress_level=0)
        encoded.append(buffer.getvalue())
    for part, size in (("train", count), ("test", CLASSES)):
        rows = [{"bytes": encoded[i % 1000], "path": f"class{i % CLASSES}/{i:07d}.png"} for i in range(size)]
        table = pa.table({"image": rows, "label": np.arange(size) % CLASSES})
        (folder / "parquet").mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / "parquet" / f"{part}.parquet", row_group_size=size)
        for label in range(CLASSES):
            (folder / "image_folder" / part / f"class{label}").mkdir(parents=True)
        for row in rows:
            (folder / "image_folder" / part / row["path"]).write_bytes(row["bytes"])


def download(source: str, folder: Path) -> Callable[[], object]:
    """The work of the download stage."""
    import pandas  # noqa: F401

    from winnow.datasets.build import build
    from winnow.datasets.images import save_dataset
    from winnow.datasets.sources import image_folder, parquet  # noqa: F401
    from winnow.params.download import Download

    params = Download(source=source, path=str(folder / source))  # type: ignore[arg-type]
    return lambda: save_dataset(folder / f"out-{source}", build(params), {})


def training(folder: Path, length: str = "1 epoch") -> Callable[[], object]:
    """Training for so long, and the outputs for all images."""
    import torch

    from winnow.datasets.images import Labelled, load_facts, load_pixels
    from winnow.networks import initialise
    from winnow.params.training import Augment, Network, Training
    from winnow.storage import load_tensors
    from winnow.training.batches import to_device
    from winnow.training.evaluate import log_probabilities
    from winnow.training.loop import Beginning, start, train_epoch
    from winnow.training.schedule import make_schedule

    torch.set_num_threads(1)
    settings = Training(length=length, batch_size=128, learning_rate=0.01, augment=Augment(crop=2, flip=True))

    def work() -> None:
        labels = load_tensors(folder / "labels.safetensors")["labels"]
        images = to_device(Labelled(load_pixels(folder, "train"), labels), load_facts(folder), torch.device("cpu"))
        network = initialise(Network(name="convnet", width=4), CLASSES, SHAPE, seed=0)
        run = start(Beginning(network, 0), folder / "run")
        train_epoch([run], images, settings, make_schedule(settings, len(images)))
        log_probabilities(network, images)

    return work


def grand(folder: Path) -> Callable[[], object]:
    """Gradient norms of all images."""
    import torch

    from winnow.datasets.images import Labelled, load_facts, load_pixels
    from winnow.networks import initialise
    from winnow.params.training import Network
    from winnow.scores.gradients import of_all
    from winnow.scores.of_gradients.grand import grand
    from winnow.storage import load_tensors
    from winnow.training.batches import to_device

    torch.set_num_threads(1)

    def work() -> None:
        labels = load_tensors(folder / "labels.safetensors")["labels"]
        images = to_device(Labelled(load_pixels(folder, "train"), labels), load_facts(folder), torch.device("cpu"))
        network = initialise(Network(name="convnet", width=4), CLASSES, SHAPE, seed=0)
        of_all(grand, network, images, lambda n: None)

    return work


def limited(folder: Path) -> Callable[[], object]:
    """``training`` with a limit on memory, under which the file can not be read whole."""
    work = training(folder, LIMITED_LENGTH)

    def limited_work() -> None:
        limit = status("VmData") + ROOM
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        try:
            np.fromfile(folder / "train.safetensors", np.uint8)
        except MemoryError:
            return work()
        raise RuntimeError("the file fits into the memory that is allowed: raise the number of images")

    return limited_work


CASES: dict[str, Callable[[Path], Callable[[], object]]] = {
    "download of parquet": partial(download, "parquet"),
    "download of image_folder": partial(download, "image_folder"),
    "training and outputs": training,
    "GraNd": grand,
    "larger than memory": limited,
}


def status(entry: str) -> int:
    """Bytes, by an entry of /proc/self/status."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{entry}:"))


def measure(case: str, folder: Path) -> dict[str, float]:
    """Peak of the anonymous memory in MiB, and seconds, of one case in a process of its own."""
    command = [sys.executable, __file__, "--case", case, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _measure(case: str, folder: Path) -> None:
    work = CASES[case](folder)
    done, before = threading.Event(), status("RssAnon")
    peak = [before]

    def watch() -> None:
        while not done.wait(0.002):
            peak[0] = max(peak[0], status("RssAnon"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    print(json.dumps({"mib": (peak[0] - before) / MIB, "seconds": time.perf_counter() - start}))


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Measure memory against the number of images.")
    parser.add_argument("--quick", action="store_true", help="fewer images")
    parser.add_argument("--out", type=Path, default=Path(".bench/memory.json"))
    parser.add_argument("--case", nargs=2, metavar=("CASE", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        _measure(options.case[0], Path(options.case[1]))
        return
    if sys.platform != "linux":
        sys.exit("this benchmark reads /proc and limits RLIMIT_DATA, which only Linux has")

    part = 4 if options.quick else 1
    cases = {
        "download of parquet": (write_encoded, 8000 // part),
        "download of image_folder": (write_encoded, 8000 // part),
        "training and outputs": (write_set, 8000 // part),
        "GraNd": (write_set, 8000 // part),
    }
    record: dict[str, dict[str, float]] = {}
    print(f"images of {SIZE} bytes; MiB of anonymous memory at the peak, beside the libraries'")
    print(f"{'':26} {'images':>8} {'MiB':>7} {'images':>8} {'MiB':>7}   bytes per further image")
    # beside the project's files, not in the system's folder for temporary ones, which may itself lie in memory
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.out.parent) as name:
        sets: dict[tuple[object, int], Path] = {}
        for case, (write, n) in cases.items():
            found = []
            for count in (n, 4 * n):
                folder = sets.setdefault((write, count), Path(name) / f"{write.__name__}-{count}")
                if not folder.exists():
                    write(folder, count)
                found.append(measure(case, folder)["mib"])
            growth = (found[1] - found[0]) * MIB / (3 * n)
            record[case] = {"images": n, "mib": found[0], "mib_of_4_times": found[1], "bytes_per_image": growth}
            print(f"{case:26} {n:8} {found[0]:7.1f} {4 * n:8} {found[1]:7.1f}   {growth:7.0f}")

        count = int(1.5 * ROOM / SIZE)
        write_set(Path(name) / "large", count)
        found_one = measure("larger than memory", Path(name) / "large")
        record["larger than memory"] = {"images": count, "allowed_mib": ROOM / MIB, **found_one}
        print(f"{count} images ({count * SIZE / MIB:.0f} MiB) where {ROOM / MIB:.0f} MiB may be taken:")
        print(f"  {LIMITED_LENGTH} and all outputs in {found_one['seconds']:.1f} s with {found_one['mib']:.0f} MiB")
        print("  the file read whole does not fit")
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
