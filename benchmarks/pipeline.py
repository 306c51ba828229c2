"""Times the whole pipeline, and what DVC takes when there is nothing to do, in multiples of the import of torch.

    python benchmarks/pipeline.py [--tests] [--out .bench/pipeline.json]

Machines and hours differ by a factor of two, so each figure is divided by t, the seconds of a warm
`python -c "import torch"`, measured right before and right after it. All runs are in fresh clones of the last commit,
with caches of their own. Takes about 20 minutes of two cores; with --tests, which adds `make test`, 30.
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
import pandas as pd
from PIL import Image
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
IMAGES, CLASSES = 100_000, 10
IMPORT = [sys.executable, "-c", "import torch"]


class Project:
    """A fresh clone in a folder, in which nothing has run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        dropped = ("DVC_", "WINNOW_", "PYTHONDONTWRITEBYTECODE")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        self.environment |= {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(folder / "src"),
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": f"{folder}.site",
        }

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def set_images(self, source: str, path: Path | None) -> None:
        file = self.folder / "params.yaml"
        yaml = YAML()  # keeps the order: a level comes after its parent
        values = yaml.load(file)
        values["download"].update({"source": source, "path": None if path is None else str(path)})
        yaml.dump(values, file)

    def lines(self, name: str) -> int:
        return len((self.folder / name).read_text(encoding="utf-8").splitlines())


def seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def import_seconds() -> float:
    return statistics.median(seconds(lambda: subprocess.run(IMPORT, check=True)) for _ in range(5))


def against_import(call: Callable[[], Any], turns: int = 1) -> dict[str, float]:
    """Seconds of a call, the median of some turns, and of an import of torch at that time."""
    before = import_seconds()
    taken = statistics.median(seconds(call) for _ in range(turns))
    t = (before + import_seconds()) / 2
    return {"seconds": taken, "t": t, "in_t": taken / t}


def write_images(folder: Path) -> None:
    stream = np.random.default_rng(0)
    for part, count in (("train", IMAGES * 9 // 10), ("test", IMAGES // 10)):
        for number in range(CLASSES):
            (folder / part / f"class{number}").mkdir(parents=True)
        for number, pixels in enumerate(stream.integers(256, size=(count, 4, 4), dtype=np.uint8)):
            Image.fromarray(pixels).save(folder / part / f"class{number % CLASSES}" / f"{number:06d}.png")


Report = Callable[..., None]  # of a name, its value, the bound that is wanted, a detail


def measure_pipeline(project: Project, record: dict[str, Any], report: Report) -> None:
    """From nothing, with as many stages at once as there are cores, and then with nothing to do."""
    whole = record["several"] = against_import(lambda: project.run("python", "-m", "winnow.repro"))
    work = record["work"] = float(pd.read_csv(project.folder / ".winnow/times.csv")["processor_seconds"].sum())
    report("the default pipeline from nothing, in t", whole["in_t"], 130, f"{whole['seconds']:.0f} s")
    report("wall time x cores / work", whole["seconds"] * record["cores"] / work, 1.5, f"{work:.0f} s of work")
    record["git_status"] = project.run("git", "status", "--short")
    print(f"git status after it: {record['git_status'] or 'clean'}")
    nothing = record["nothing"] = against_import(lambda: project.run("dvc", "repro"), 5)
    report("dvc repro with nothing to do, in t", nothing["in_t"], 1.3, f"{nothing['seconds']:.1f} s")
    made = record["nothing_make"] = against_import(lambda: project.run("python", "-m", "winnow.repro"), 5)
    print(f"{'make repro with nothing to do, in t':52} {made['in_t']:8.2f}   {made['seconds']:.1f} s")
    report("stages", len(YAML(typ="safe").load(project.folder / "dvc.lock")["stages"]), 60)
    report("lines of dvc.lock", project.lines("dvc.lock"), 3000)
    report("lines of dvc.yaml", project.lines("dvc.yaml"), 330)


def measure_one_by_one(project: Project, record: dict[str, Any], report: Report) -> None:
    one = record["one"] = against_import(lambda: project.run("python", "-m", "winnow.repro", "--jobs", "1"))
    faster = one["in_t"] / record["several"]["in_t"]
    report("one stage at a time over several at once", faster, 1.25, f"{one['seconds']:.0f} s", least=True)


def measure_images(project: Project, images: Path, record: dict[str, Any], report: Report) -> None:
    """How much longer dvc status takes to see one new image in a large folder than it takes without such a folder."""
    write_images(images)
    without = record["status"] = against_import(lambda: project.run("dvc", "status", "download"), 5)
    project.set_images("image_folder", images)
    project.run("dvc", "repro", "download")
    record["status_images_same"] = against_import(lambda: project.run("dvc", "status", "download"), 5)
    first, added = images / "train" / "class0" / "000000.png", images / "train" / "class0" / "added.png"
    added.write_bytes(first.read_bytes())
    printed: list[str] = []
    found = record["status_images_changed"] = against_import(
        lambda: printed.append(project.run("dvc", "status", "download")), 5
    )
    if not all("modified" in text for text in printed):
        sys.exit(f"dvc status does not tell of the new image: {printed}")
    more = found["in_t"] - without["in_t"]
    report(f"a change among {IMAGES} images noticed, more by t", more, 3, f"{found['seconds']:.1f} s")


def measure_tests(project: Project, record: dict[str, Any], report: Report) -> None:
    project.run("make", "lint")  # the set-up
    tests = record["tests"] = against_import(lambda: project.run("make", "test"))
    report("make test, in t", tests["in_t"], 110, f"{tests['seconds']:.0f} s")


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Time the whole pipeline, several stages at once and one by one.")
    parser.add_argument("--tests", action="store_true", help="make test, too")
    parser.add_argument("--out", type=Path, default=Path(".bench/pipeline.json"))
    options = parser.parse_args()
    record: dict[str, Any] = {"cores": os.cpu_count() or 1, "figures": {}}

    def report(name: str, value: float, wanted: float, detail: str = "", least: bool = False) -> None:
        record["figures"][name] = {"value": value, "wanted": wanted}
        print(f"{name:52} {value:8.2f}   {'at least' if least else 'at most'} {wanted:g}   {detail}", flush=True)

    with tempfile.TemporaryDirectory(prefix="winnow-bench-") as temporary:
        folder = Path(temporary)
        several = Project(folder / "several")
        measure_pipeline(several, record, report)
        measure_one_by_one(Project(folder / "single"), record, report)
        measure_images(several, folder / "images", record, report)
        if options.tests:
            measure_tests(Project(folder / "tested"), record, report)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
