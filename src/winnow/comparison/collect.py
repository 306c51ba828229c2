"""Collect what the projects of a comparison have measured."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from winnow.analysis.beyond import worst_class_error
from winnow.analysis.comparison import DYNAMIC
from winnow.comparison.project import Project
from winnow.datasets.images import load_labels
from winnow.selection.files import load_subset
from winnow.selection.recipes import parts
from winnow.storage import load_table, load_tensors

SPLIT, FULL = "test", "full"


def collected(projects: Iterable[Project]) -> pd.DataFrame:
    """One row per network retrained in the projects: setting, repeat, method, keep (as text), fraction, images, seed,
    accuracy and worst_class (of the class with the lowest accuracy; test images, fractions of 1) and wrong_kept, the
    fraction of the labels trained on that are wrong. All data is the method "full".

    Of a project with retrain.recipes only what these have trained, since it is they that make the setting; if there are
    several, each makes one, and its name follows the setting's.

    Raises UserError if a file is missing or damaged.
    """
    return pd.concat([table for project in projects for table in _of_project(project)], ignore_index=True)


def _of_project(project: Project) -> Iterator[pd.DataFrame]:
    accuracy = load_table(project.folder / "plots/accuracy.csv")
    accuracy = accuracy[(accuracy["split"] == SPLIT) & (accuracy["keep"] != DYNAMIC)]  # the others keep no subset
    table = accuracy.astype({"keep": str}).reset_index(drop=True)
    table[["method", "recipe"]] = [parts(name) for name in table["method"]]
    recipes = [name for name in table["recipe"].unique() if name]
    for recipe in recipes or [""]:
        own = table[(table["recipe"] == recipe) | (table["method"] == FULL)]
        setting = f"{project.setting} {recipe}" if len(recipes) > 1 else project.setting
        yield _measured(project, own).assign(setting=setting, repeat=project.repeat)


def _measured(project: Project, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of networks, with what their outputs and their subsets say of them."""
    test = load_labels(project.folder / f"data/images/{SPLIT}.parquet")
    labels = load_table(project.folder / "data/labels.parquet")
    wrong = labels["id"][labels["label"] != labels["true_label"]].to_numpy()
    subsets = table["method"].where(table["method"] == FULL, table["method"] + "-" + table["keep"])
    items = subsets.where(table["recipe"] == "", subsets + "-" + table["recipe"])
    worst, mistaken = [], {}
    for item, subset, seed in zip(items, subsets, table["seed"], strict=True):
        outputs = load_tensors(project.folder / f"data/retrain/{item}/seed{seed}/outputs.safetensors")[SPLIT]
        worst.append(1 - worst_class_error(outputs, test))
        if subset not in mistaken:
            path = subset if subset == FULL else f"select/{subset}"
            mistaken[subset] = np.isin(load_subset(project.folder / f"data/{path}.parquet").ids, wrong).mean()
    found = table[["method", "keep", "fraction", "images", "seed", "accuracy"]]
    return found.assign(worst_class=worst, wrong_kept=subsets.map(mistaken))
