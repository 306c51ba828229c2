"""Bring the results of all levels into tables: which match the dense networks, which are connected to what."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from stages._stage import main, params
from winnow.params.dense import NAME as DENSE
from winnow.params.dense import Dense
from winnow.params.imp import Imp
from winnow.params.landscape import Curvature, Perturbation
from winnow.storage import load_table, load_tensors, save_json, save_table
from winnow.tickets.summary import (
    at_the_same_sparsity,
    connected_and_matching,
    largest_cuts,
    mean_curvature,
    measured_cuts,
)
from winnow.tickets.verdicts import as_metrics, barriers, ends, verdicts

LANDSCAPE = Path("data/landscape")
CURVATURE = ["size", "largest", "trace", "trace_error", "predicted_low", "predicted_high"]


def tickets() -> None:
    options = params(dense=Dense, imp=Imp, perturbation=Perturbation, curvature=Curvature)
    levels, seeds = options.imp.levels, options.dense.seeds
    about = {DENSE: {"parent": "", "variant": "dense", "rewind": DENSE, "data": "full"}}
    about |= {name: level.model_dump(include=set(about[DENSE])) for name, level in levels.items()}
    results = pd.concat(
        load_table(f"data/tickets/{name}/results.csv").assign(level=name, **facts) for name, facts in about.items()
    )
    first = ["level", *about[DENSE]]
    save_table("plots/tickets/results.csv", results[[*first, *results.columns.drop(first)]])

    between = barriers(_lines(f"connectivity/{name}" for name in levels))
    table = verdicts(results, between)
    save_table("plots/tickets/barriers.csv", between)
    save_table("plots/tickets/verdicts.csv", table)
    matrix, children = barriers(_lines(["levels"])), barriers(_lines(["children"]))
    save_table("plots/tickets/barriers_of_levels.csv", matrix)
    save_table("plots/tickets/barriers_of_children.csv", children)
    perturbed = _lines(f"perturbation/{name}" for name in options.perturbation.runs)
    save_table("plots/tickets/barriers_perturbed.csv", barriers(perturbed).merge(ends(perturbed)))

    curvature = pd.DataFrame(
        [(level, seed, *_curvature(level, seed)) for level in options.curvature.levels for seed in seeds],
        columns=["level", "seed", *CURVATURE],
    )
    measured = measured_cuts(table)
    save_table("plots/tickets/curvature.csv", curvature)
    save_table("plots/tickets/measured_cuts.csv", measured)

    save_json("metrics/tickets.json", as_metrics(results, table))
    landscape = {
        "epsilon": float(table["epsilon"].iloc[0]) if table["matching"].notna().any() else None,
        "connected_to_parent_and_matching": connected_and_matching(table),
        "at_the_same_sparsity": at_the_same_sparsity(levels, table),
        "largest_cut": largest_cuts(curvature, measured),
        "curvature": mean_curvature(curvature),
    }
    save_json("metrics/landscape.json", landscape)


def _lines(names: Iterable[str]) -> pd.DataFrame:
    """The points on all lines of these files of data/landscape."""
    tables = [load_table(LANDSCAPE / f"{name}.parquet") for name in names]
    return pd.concat(tables) if tables else pd.DataFrame(columns=["a", "b", "seed", "alpha", "split", "error", "loss"])


def _curvature(level: str, seed: int) -> list[float]:
    """The columns of CURVATURE of one network."""
    found = load_tensors(LANDSCAPE / "curvature" / level / f"seed{seed}.safetensors")
    values = found["size"][0], found["eigenvalues"][0], *found["trace"], *found["predicted"]
    return [float(value) for value in values]


if __name__ == "__main__":
    main(tickets)
