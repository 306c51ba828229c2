"""Measures the stages that read every image and train nothing, at 10,000, 100,000 and a million made-up images.

    python benchmarks/million.py [--images 10000 100000 1000000] [--stages labels score ...] [--folder FOLDER]
        [--out .bench/million.json]

It writes what earlier stages would have left of so many images: pixels, ids and labels, and of four networks, and two
of a source of transfer, the outputs at each scored epoch, the records of the visits and one epoch's features. Nothing
is trained, so the results of retraining are made up too, and there are no tickets. Then every stage runs as DVC runs
it, in a process of its own. With --folder the projects stay there, and one that is there is used again.

Seconds are of the processor, of the whole process, so that other work on the machine matters less; wall seconds stand
beside them in the file. Memory is anonymous memory: RssAnon of /proc, the highest in samples 10 ms apart, with that of
the libraries. Pages of mapped files are not in it, as the system takes them back when it needs room. Tables are what
the stage has to have of all images at once: the table of scores, or of labels, as pandas holds it, and for score and
claims also the scores that they combine, seed by seed. Linux only.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from winnow.datasets.images import Dataset, Images, save_dataset
from winnow.scores.seed_scores import SeedScores, save_scores
from winnow.storage import load_table, save_table, save_tensors

ROOT = Path(__file__).resolve().parents[1]
CLASSES, SIDE, DIMENSIONS = 10, 8, 64
COHORTS = {"a": [0, 1], "b": [2, 3]}
SOURCE, OF_SOURCE = "lenet", [300, 301]
EPOCHS, HELD_OUT, TEST = [0, 1, 4], 1000, 1000
KEEP = [0.1, 0.5]
CHANGES: dict[str, Any] = {
    "labels": {"noise": 0.05},  # so that the detection of wrong labels is measured too
    "early": {"cohorts": COHORTS, "epochs": EPOCHS, "features": [EPOCHS[-1]]},
    "score": {
        "scores": ["el2n", "forgetting", "loss", "margin", "input_norm", "random", "dyn_unc", "prototype_distance"],
    },
    "ntk": {"epochs": []},
    "transfer": {"sources": {SOURCE: {"seeds": OF_SOURCE, "network": "lenet", "training": "short"}}},
    "select": {
        "methods": {name: {} for name in ("el2n", "grand", "random", "moderate", "drop")} | {"ccs": {"score": "el2n"}},
        "keep": KEEP,
    },
    "sweep": {"methods": ["el2n-epoch0", "el2n-seeds1", f"el2n-from{SOURCE}", "el2n-window0.25"], "keep": [0.5]},
    "retrain": {"seeds": [100, 101]},
    "dense": {"seeds": []},
    "pruning": {"levels": {}, "rewinds": {}},
    "connectivity": {"matrix": []},
    "spawn": {"at": []},
    "perturbation": {"runs": {}},
    "curvature": {"levels": []},
}  # fmt: skip
# the stages in their order; a stage that is measured names the tables that it needs
STAGES: dict[str, list[str]] = {
    "check": [],
    "labels": [],
    "score": [],
    "ntk@a": ["a"],
    "ntk@b": ["b"],
    "select": [],
    "compare": [],
    "dense": [],
    "spawn": [],
    "connectivity": [],
    "tickets": [],
    "ticket_figures": [],
    "figures": [],
    "claims": [],
    "report": [],
}
LABELS, SCORES = "data/labels.parquet", "data/scores/scores.parquet"
OF_SEEDS = [f"data/{folder}/*.safetensors" for folder in ("scores", "early")]
OF_CLAIMS = ["data/scores/?-el2n.safetensors", "data/scores/?-forgetting.safetensors", OF_SEEDS[1]]
MEASURED = {
    "labels": [LABELS],
    "score": [LABELS, SCORES, *OF_SEEDS],
    "select": [SCORES],
    "compare": [],
    "figures": [SCORES],
    "claims": [LABELS, *OF_CLAIMS],
    "report": [SCORES],
}
MIB, TIMES, MOST = 2**20, 11.0, 1024  # from 100,000 to a million images, and MiB beyond the tables: the targets


def make_project(folder: Path, count: int) -> None:
    """A project, and what its stages up to score_gradients, and retrain, would leave for so many images."""
    folder.mkdir(parents=True)
    for name in ("dvc.yaml", "networks", "None"):
        (folder / name).symlink_to(ROOT / name)
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    for section, values in CHANGES.items():
        params[section].update(values)
    yaml.dump(params, folder / "params.yaml")
    rng = np.random.default_rng(count)
    classes = rng.integers(CLASSES, size=count)
    parts = {"train": classes, "validation": np.arange(HELD_OUT) % CLASSES, "test": np.arange(TEST) % CLASSES}
    save_dataset(folder / "data/images", dataset(parts, rng), {"source": "made up"})
    write_runs(folder / "data/early", parts["train"], parts["validation"], rng)
    write_results(folder / "data/retrain", count, rng)


def dataset(parts: dict[str, np.ndarray], rng: np.random.Generator) -> Dataset:
    """Grey noise, brighter for higher classes."""
    splits = {}
    for name, labels in parts.items():
        pixels = rng.integers(128, size=(len(labels), 1, SIDE, SIDE), dtype=np.uint8)
        pixels += (10 * labels).astype(np.uint8)[:, None, None, None]
        ids = np.array([f"{name}/{row:07d}" for row in range(len(labels))])
        splits[name] = Images(pixels, labels, ids, np.arange(len(labels)))
    return Dataset(splits, [f"class {label}" for label in range(CLASSES)], [0.4], [0.15])


def write_runs(folder: Path, labels: np.ndarray, held_out: np.ndarray, rng: np.random.Generator) -> None:
    """Networks that see features around the centre of each class, more sharply from epoch to epoch. The norms of their
    gradients are noise around EL2N, from which they differ no more in the time that they take."""
    hardness, count = rng.exponential(size=len(labels)).astype(np.float32), len(labels)
    runs = {**COHORTS, f"from-{SOURCE}": OF_SOURCE}
    for name, seeds in runs.items():
        norms = np.empty((len(seeds), len(EPOCHS), count), np.float32)
        for place, seed in enumerate(seeds):
            run = folder / name / f"seed{seed}"
            features = features_of(labels, hardness, rng)
            weight = rng.normal(size=(CLASSES, DIMENSIONS)).astype(np.float32)
            weight += 3 * CENTRES - 3 * CENTRES.mean(axis=0)
            bias, validation = np.zeros(CLASSES, np.float32), features_of(held_out, np.ones(HELD_OUT), rng)
            visits = np.empty((EPOCHS[-1], 2, count), np.float16)  # loss and margin
            for epoch in range(EPOCHS[-1] + 1):
                own, other = weight * (0.02 * epoch), {"seed": seed}
                outputs, on_validation = (log_softmax(rows @ own.T + bias) for rows in (features, validation))
                given = outputs[np.arange(count), labels]
                if epoch in EPOCHS:
                    tensors = {"network.last.weight": own, "network.last.bias": bias, "log_probabilities": outputs}
                    tensors["validation.log_probabilities"] = on_validation
                    if epoch == EPOCHS[-1]:
                        tensors |= {"features": features.astype(np.float16)}
                        tensors |= {"validation.features": validation.astype(np.float16)}
                    save_tensors(run / f"epoch{epoch}.safetensors", tensors, other)
                    error = 1 - np.exp(given) + 0.1 * rng.standard_normal(count, np.float32)
                    norms[place, EPOCHS.index(epoch)] = np.abs(error)
                if epoch:
                    outputs[np.arange(count), labels] = -np.inf
                    noisy = given - outputs.max(axis=1) + 0.3 * rng.standard_normal(count, np.float32)
                    visits[epoch - 1] = -given, noisy
            save_tensors(run / "losses.safetensors", {"losses": visits[:, 0]})
            save_tensors(run / "margins.safetensors", {"margins": visits[:, 1]})
            save_tensors(run / "correct.safetensors", {"correct": (visits[:, 1] > 0).astype(np.uint8)})
            save_tensors(run / "seen.safetensors", {"seen": np.ones(count, np.uint8)})
            rising = np.arange(1, EPOCHS[-1] + 1)
            history = {"seed": seed, "epoch": rising, "learning_rate": 0.1}
            history |= {f"{split}_loss": 1 / rising for split in ("train", "validation")}
            history |= {f"{split}_accuracy": 1 - 1 / (1 + rising) for split in ("train", "validation")}
            save_table(run / "history.csv", pd.DataFrame(history))
        if name in COHORTS:
            save_scores(folder / f"{name}-grand.safetensors", SeedScores(norms, seeds, EPOCHS))


CENTRES = np.random.default_rng(0).normal(size=(CLASSES, DIMENSIONS)).astype(np.float32)


def features_of(labels: np.ndarray, hardness: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As float16 rounds them, float32 [n, d]."""
    found = rng.standard_normal((len(labels), DIMENSIONS), np.float32)
    found *= hardness[:, None]
    found += CENTRES[labels]
    return np.maximum(found, 0, out=found).astype(np.float16).astype(np.float32)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits - logits.max(axis=1, keepdims=True)
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def write_results(folder: Path, count: int, rng: np.random.Generator) -> None:
    """Made-up results of networks trained on every subset, and on all images."""
    items = [(f"{name}-{keep}", keep) for name in CHANGES["select"]["methods"] for keep in KEEP]
    items += [(f"{name}-0.5", 0.5) for name in CHANGES["sweep"]["methods"]]
    for item, keep in [*items, ("full", 1.0)]:
        rows = [(seed, split) for seed in CHANGES["retrain"]["seeds"] for split in ("validation", "test")]
        table = pd.DataFrame(rows, columns=["seed", "split"])
        table["accuracy"] = (0.7 + 0.2 * keep + 0.01 * rng.standard_normal(len(rows))).round(4)
        table["loss"] = 1 - table["accuracy"]
        sizes = {"images": round(keep * count), "steps": 1000, "visits": 64000}
        save_table(folder / item / "results.csv", table.assign(**sizes))


def measure(stage: str, folder: Path) -> dict[str, float]:
    """Processor and wall seconds, and MiB of anonymous memory at the peak, of a stage that runs in a project."""
    script = stage.partition("@")[0]
    command = [sys.executable, "-m", f"winnow.stages.{script}", *STAGES[stage]]
    environment = {**os.environ, "DVC_STAGE": stage, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    environment |= {"WINNOW_DEVICE": "cpu", "WINNOW_WORKERS": "1"}
    start = time.perf_counter()
    with (folder / f"{stage}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        peak, done = [0], threading.Event()

        def watch() -> None:
            while not done.wait(0.01):
                peak[0] = max(peak[0], anonymous(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, used = os.wait4(process.pid, 0)
        done.set()
        watcher.join()
    if status:
        sys.exit(f"{stage} in {folder}: {Path(log.name).read_text(encoding='utf-8').strip()}")
    seconds = time.perf_counter() - start
    return {"processor": used.ru_utime + used.ru_stime, "wall": seconds, "MiB": peak[0] / MIB}


def anonymous(process: int) -> int:
    """Bytes of anonymous memory that a process has now; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon:")), 0)


def size_of_tables(patterns: list[str], folder: Path) -> float:
    """MiB that these tables and tensors take in memory."""
    found = 0
    for path in [path for pattern in patterns for path in folder.glob(pattern)]:
        is_table = path.suffix == ".parquet"
        found += int(load_table(path).memory_usage(deep=True).sum()) if is_table else path.stat().st_size
    return found / MIB


def measure_all(folder: Path, count: int, stages: list[str]) -> dict[str, dict[str, float]]:
    """Of these stages what each takes, for so many images, in a project in this folder."""
    if not folder.exists():
        make_project(folder, count)
    found = {}
    for stage in STAGES:
        name = stage.partition("@")[0]
        if name not in stages and (name in MEASURED or (folder / f"{stage}.log").exists()):
            continue
        taken = measure(stage, folder)
        if name in MEASURED:
            found[name] = {**taken, "tables": size_of_tables(MEASURED[name], folder)}
            print(
                f"{name:8} {count:9,} images: {taken['processor']:7.1f} s of the processor, {taken['MiB']:6.0f} MiB, "
                f"{taken['MiB'] - found[name]['tables']:6.0f} of them beyond the tables",
                flush=True,
            )
    return found


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Measure the stages that read all images, up to a million.")
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--stages", nargs="+", default=list(MEASURED), choices=list(MEASURED))
    parser.add_argument("--folder", type=Path, help="where the projects stay; they vanish if it is left out")
    parser.add_argument("--out", type=Path, default=Path(".bench/million.json"))
    options = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("this benchmark reads /proc, which only Linux has")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    found = {}
    for count in options.images:
        # beside the project's files, not in the system's folder for temporary ones, which may itself lie in memory
        with tempfile.TemporaryDirectory(dir=options.out.parent) as name:
            folder = (options.folder or Path(name).resolve()) / str(count)
            found[count] = measure_all(folder, count, options.stages)
    for stage in options.stages:
        for few, many in zip(options.images, options.images[1:], strict=False):
            times = found[many][stage]["processor"] / found[few][stage]["processor"]
            print(f"{stage:8} from {few:,} to {many:,} images: {times:.1f} times the time (target {TIMES:g})")
        beyond = found[options.images[-1]][stage]
        print(f"{stage:8} {beyond['MiB'] - beyond['tables']:.0f} MiB beyond the tables (target {MOST})")
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
