"""Bring the results of all levels into tables: which match the dense networks, which are connected to what, how large
the weights are before a cut, after it and after retraining."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import pandas as pd

from stages._stage import main, params
from stages._tickets import LANDSCAPE, LINES, keep_levels, keep_measured, lines_of, ticket
from winnow.landscape.tables import joined, load_line
from winnow.params.dense import NAME as DENSE
from winnow.params.dense import Dense
from winnow.params.imp import Imp, Level, with_parents
from winnow.params.landscape import Connectivity, Curvature, Perturbation
from winnow.storage import load_table, load_tensors, save_json, save_table
from winnow.tickets.files import load_ticket
from winnow.tickets.magnitudes import density_table, magnitude_table
from winnow.tickets.summary import (
    at_the_same_sparsity,
    connected_and_matching,
    largest_cuts,
    mean_curvature,
    measured_cuts,
)
from winnow.tickets.verdicts import as_metrics, barriers, ends, verdicts

TABLES = Path("plots/tickets")
CURVATURE = ["size", "largest", "trace", "trace_error", "predicted_low", "predicted_high"]


def tickets() -> None:
    options = params(dense=Dense, imp=Imp, connectivity=Connectivity, perturbation=Perturbation, curvature=Curvature)
    levels, seeds = options.imp.levels, options.dense.seeds
    keep_levels(levels)
    keep_measured(options.perturbation.runs, options.curvature.levels)
    write_magnitudes({name: name for name in (DENSE, *levels)} | {name: a for a, name in with_parents(levels)}, seeds)
    about = {DENSE: {"parent": "", "variant": "dense", "rewind": DENSE, "data": "full"}}
    about |= {name: facts_of(level) for name, level in levels.items()}
    results = pd.concat(
        load_table(f"data/tickets/{name}/results.csv").assign(level=name, **facts) for name, facts in about.items()
    )
    first = ["level", *about[DENSE]]
    save_table(TABLES / "results.csv", results[[*first, *results.columns.drop(first)]])

    above = dict.fromkeys(pair for name in levels for pair in [*with_parents({name: levels[name]}), (DENSE, name)])
    between = barriers(lines_of(above, seeds))
    table = verdicts(results, between)
    save_table(TABLES / "barriers.csv", between)
    save_table(TABLES / "verdicts.csv", table)
    matrix = lines_of(combinations(options.connectivity.matrix, 2), seeds)
    save_table(TABLES / "barriers_of_levels.csv", barriers(matrix))
    save_table(TABLES / "barriers_of_children.csv", barriers(_lines_of_children(seeds)))
    perturbed = joined(load_table(LANDSCAPE / f"perturbation/{name}.parquet") for name in options.perturbation.runs)
    save_table(TABLES / "barriers_perturbed.csv", barriers(perturbed).merge(ends(perturbed)))

    curvature = pd.DataFrame(
        [(level, seed, *_curvature(level, seed)) for level in options.curvature.levels for seed in seeds],
        columns=["level", "seed", *CURVATURE],
    )
    measured = measured_cuts(table, levels)
    save_table(TABLES / "curvature.csv", curvature)
    save_table(TABLES / "measured_cuts.csv", measured)

    save_json("metrics/tickets.json", as_metrics(results, table))
    landscape = {
        "epsilon": float(table["epsilon"].iloc[0]) if table["matching"].notna().any() else None,
        "connected_to_parent_and_matching": connected_and_matching(table, levels),
        "at_the_same_sparsity": at_the_same_sparsity(levels, table),
        "largest_cut": largest_cuts(curvature, measured),
        "curvature": mean_curvature(curvature),
    }
    save_json("metrics/landscape.json", landscape)


def facts_of(level: Level) -> dict[str, str]:
    """What the tables say a level was made from."""
    data = level.data.removeprefix("select/")
    return {"parent": level.parent, "variant": level.kind, "rewind": level.rewind, "data": data}


def write_magnitudes(parents: Mapping[str, str], seeds: Sequence[int]) -> None:
    """How large the weights of every level are, and in which layers they lie; parents: of every level."""
    densities, tables = [], []
    for name, parent in parents.items():
        own, above = ([load_ticket(ticket(level, seed)) for seed in seeds] for level in (name, parent))
        densities.append(density_table(own).assign(level=name))
        tables.append(magnitude_table(above, own).assign(level=name, parent=parent))
    save_table("data/magnitudes/density.parquet", pd.concat(densities, ignore_index=True))
    save_table("data/magnitudes/magnitudes.parquet", pd.concat(tables, ignore_index=True))


def _lines_of_children(seeds: Sequence[int]) -> pd.DataFrame:
    """The points on the lines between the two children that part at each step."""
    folder = LINES / "children"
    return joined(
        load_line(folder / f"{step}/seed{seed}.parquet", at=step, a="a", b="b", seed=seed)
        for step in sorted(int(path.name) for path in folder.iterdir())
        for seed in seeds
    )


def _curvature(level: str, seed: int) -> list[float]:
    """The columns of CURVATURE of one network."""
    found = load_tensors(LANDSCAPE / "curvature" / level / f"seed{seed}.safetensors")
    values = found["size"][0], found["eigenvalues"][0], *found["trace"], *found["predicted"]
    return [float(value) for value in values]


if __name__ == "__main__":
    main(tickets)
