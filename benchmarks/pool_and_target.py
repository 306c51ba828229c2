"""Do the methods that choose for a target find what the target needs? On real images, in about three minutes.

    python benchmarks/pool_and_target.py DATA FOLDER

DATA holds cifar10/ and mnist/, each with train.parquet and test.parquet (columns image, with the bytes of a file, and
label). FOLDER, which must not exist, gets a project. Its pool is 4,000 images of CIFAR-10 and 1,000 of MNIST, 20
classes; its target is 200 other images of MNIST. So a method that works keeps images of MNIST. Prints the share of them
that each method keeps, and the accuracy on 1,000 test images of MNIST after fine-tuning.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml import YAML

from winnow.selection.files import load_subset
from winnow.storage import load_table

OF_CIFAR, OF_MNIST, OF_TARGET = 4000, 1000, 200


def main() -> None:
    data, folder = map(Path, sys.argv[1:])
    project = folder / "project"
    for name, parts in tables(data).items():
        for part, table in parts.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            pq.write_table(table, folder / name / f"{part}.parquet")
    call("winnow", "init", str(project), "--recipe", "pool-and-target")
    shrink(project / "params.yaml")
    call("python", "-m", "winnow.repro", "compare", cwd=project)
    report(project)


def tables(data: Path) -> dict[str, dict[str, pa.Table]]:
    """The files of the pool and of the target."""
    read = {
        (name, part): pq.read_table(data / name / f"{part}.parquet", columns=["image", "label"])
        for name in ("cifar10", "mnist")
        for part in ("train", "test")
    }
    ours = {"train": (OF_CIFAR, OF_MNIST), "test": (400, 100)}
    pool = {
        part: pa.concat_tables(
            [read["cifar10", part].slice(0, of_cifar), after_cifar(read["mnist", part].slice(0, of_mnist))]
        )
        for part, (of_cifar, of_mnist) in ours.items()
    }
    target = {
        "train": read["mnist", "train"].slice(OF_MNIST, OF_TARGET),
        "test": read["mnist", "test"].slice(100, 1000),
    }
    return {"pool": pool, "target": target}


def after_cifar(mnist: pa.Table) -> pa.Table:
    """Digits as the classes 10 to 19, and under names of their own."""
    images = [{"bytes": row["bytes"], "path": f"mnist/{row['path']}"} for row in mnist["image"].to_pylist()]
    labels = mnist["label"].to_numpy() + 10
    return pa.table(
        {"image": pa.array(images, type=mnist.schema.field("image").type), "label": labels.astype(np.int64)}
    )


def shrink(file: Path) -> None:
    """Make the recipe small enough for minutes."""
    yaml = YAML()
    values: dict[str, Any] = yaml.load(file)
    values["download"].update({"source": "parquet", "path": "../pool"})
    values["networks"]["small"].update({"name": "convnet", "width": 16})
    values["trainings"]["short"].update({"length": "6 epochs", "batch_size": 64, "decay_at": ["5 epochs"]})
    values["trainings"]["short"]["augment"].update({"crop": 0, "flip": False})
    values["trainings"]["tuned"].update({"length": "20 epochs", "batch_size": 50, "decay_at": ["15 epochs"]})
    values["early"].update({"cohorts": {"a": [0]}, "epochs": [0, 4], "features": [4]})
    values["score"]["gradients"] = []
    values["select"].update({"keep": [0.05, 0.2], "epoch": 4})
    values["target"]["sets"] = {"mnist": {"source": "parquet", "path": "../target", "first": None, "first_test": None}}
    values["retrain"]["seeds"] = [100, 101]
    yaml.dump(values, file)


def report(project: Path) -> None:
    labels = load_table(project / "data/labels.parquet").set_index("id")["label"]
    accuracy = load_table(project / "plots/target.csv").groupby(["method", "keep"], sort=False)["accuracy"]
    for (method, keep), of_seeds in accuracy:
        share = ""
        if method not in ("full", "fresh"):
            subset = load_subset(project / f"data/select/{method}-{keep}.parquet")
            share = f"{(labels[subset.ids] >= 10).mean():6.1%} of MNIST, {subset.provenance}"
        print(
            f"{method:18} {keep:5} accuracy {of_seeds.mean():.4f} ({', '.join(f'{a:.4f}' for a in of_seeds)}) {share}"
        )


def call(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True)


if __name__ == "__main__":
    main()
