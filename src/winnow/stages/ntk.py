"""Measure how fast the kernels of images with neighbouring scores turn in one cohort's networks, without training."""

import shutil
from pathlib import Path

from winnow.datasets.images import load_labels
from winnow.params.early import Early
from winnow.params.ntk import Ntk
from winnow.scores.runs import EarlyRuns
from winnow.scores.velocity import compute
from winnow.stages._stage import main, naming, params, scratch
from winnow.storage import load_table, save_table


def ntk(cohort: str) -> None:
    options = params(early=Early, ntk=Ntk)
    runs = EarlyRuns(Path("data/early", cohort), load_labels("data/labels.parquet"), Path("data/images"))
    members = [rows.to_numpy() for _, rows in load_table("data/analysis/neighbours.parquet").groupby("group")["row"]]
    folder = scratch()
    with naming("ntk.epochs: the network has no kernel (leave it out with []): early.network: "):
        found = compute(runs, members, options.ntk.epochs, options.early.network, folder)
    save_table(f"data/ntk/{cohort}.parquet", found)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(ntk)
