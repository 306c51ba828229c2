"""Collect what the projects of a comparison of pruning have measured."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

import pandas as pd

from winnow.comparison.project import Project
from winnow.comparison.pruning.levels import Measured
from winnow.params.dense import NAME as DENSE
from winnow.storage import load_table

OF_DENSE = Measured(DENSE, DENSE, 1.0, "", "dense", 1, images=False, channels=False, retraining="")


def collected(projects: Iterable[Project], measured: Sequence[Measured]) -> pd.DataFrame:
    """One row per trained network: setting, repeat, seed, accuracy (test images, a fraction of 1), left (the fraction
    of the weights that remain), error_after_cut (of the test images; NaN if no trained network was cut), and all
    columns of ``histories`` and of ``Measured``. Rows of dense networks have the method "dense".

    Raises UserError if a file is missing or damaged.
    """
    from winnow.comparison.pruning.history import histories  # imports torch, which no mistake has to wait for

    about = pd.DataFrame([asdict(each) for each in [OF_DENSE, *measured]])
    tables = []
    for project in projects:
        behind = histories(project.folder)
        for level in about["level"]:
            found = load_table(project.folder / f"data/tickets/{level}/results.csv")
            found = found[found["split"] == "test"].rename(columns={"density": "left"})
            found = found[["seed", "error", "error_after_cut", "left"]].assign(level=level)
            tables.append(found.merge(behind, on=["level", "seed"]).assign(setting=project.setting,
                                                                           repeat=project.repeat))  # fmt: skip
    results = about.merge(pd.concat(tables, ignore_index=True), on="level")
    return results.assign(accuracy=1 - results["error"]).drop(columns="error")
