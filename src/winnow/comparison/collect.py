"""Collect what the projects of a comparison have measured."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from winnow.analysis.comparison import DYNAMIC
from winnow.datasets.images import load_labels
from winnow.selection.files import load_subset
from winnow.storage import load_table, load_tensors

SPLIT = "test"


@dataclass(frozen=True)
class Project:
    """A project of one setting; repeat: its number among those of the setting, from 0, which differ in their seeds."""

    setting: str
    repeat: int
    folder: Path


def collected(projects: Iterable[Project]) -> pd.DataFrame:
    """One row per network retrained in the projects: setting, repeat, method, keep (as text), fraction, images, seed,
    accuracy and worst_class (of the class with the lowest accuracy; test images, fractions of 1) and wrong_kept, the
    fraction of the labels trained on that are wrong. All data is the method "full".

    Raises UserError if a file is missing or damaged.
    """
    return pd.concat([_of_project(project) for project in projects], ignore_index=True)


def _of_project(project: Project) -> pd.DataFrame:
    accuracy = load_table(project.folder / "plots/accuracy.csv")
    accuracy = accuracy[(accuracy["split"] == SPLIT) & (accuracy["keep"] != DYNAMIC)]  # the others keep no subset
    table = accuracy.astype({"keep": str}).reset_index(drop=True)
    test = load_labels(project.folder / f"data/images/{SPLIT}.parquet")
    labels = load_table(project.folder / "data/labels.parquet")
    wrong = labels["id"][labels["label"] != labels["true_label"]].to_numpy()
    folders = table["method"].where(table["method"] == "full", table["method"] + "-" + table["keep"])
    worst, mistaken = [], {}
    for name, seed in zip(folders, table["seed"], strict=True):
        outputs = load_tensors(project.folder / f"data/retrain/{name}/seed{seed}/outputs.safetensors")[SPLIT]
        worst.append(worst_class(outputs, test))
        if name not in mistaken:
            subset = "full" if name == "full" else f"select/{name}"
            mistaken[name] = np.isin(load_subset(project.folder / f"data/{subset}.parquet").ids, wrong).mean()
    found = table[["method", "keep", "fraction", "images", "seed", "accuracy"]]
    return found.assign(setting=project.setting, repeat=project.repeat, worst_class=worst,
                        wrong_kept=folders.map(mistaken))  # fmt: skip


def worst_class(outputs: np.ndarray, labels: np.ndarray) -> float:
    """The lowest accuracy of a class. outputs: float [n, classes], the highest is the prediction; labels: int64 [n]."""
    right = outputs.argmax(axis=1) == labels
    of_class = np.bincount(labels, right) / np.maximum(np.bincount(labels), 1)
    return float(of_class[np.unique(labels)].min())
