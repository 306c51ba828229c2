"""Collect the results of all levels in tables: which levels match the dense networks, which are connected, how large
the weights are before and after a cut and after retraining."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import pandas as pd

from winnow.analysis.curves import along_lines, perturbation_curves, subset_curves
from winnow.analysis.cuts import (
    cut_limits,
    errors_around_cuts,
    largest_cuts,
    mean_curvature,
    measured_cuts,
    predicted_cuts,
)
from winnow.analysis.histograms import weight_histograms
from winnow.analysis.spectra import mean_densities, whole
from winnow.analysis.spread import spread
from winnow.analysis.summary import at_the_same_sparsity, connected_and_matching, successive_pairs
from winnow.analysis.verdicts import ABOUT, as_metrics, barriers, ends, verdicts
from winnow.landscape.tables import MEASURED, joined
from winnow.params.dense import NAME as DENSE
from winnow.params.dense import Dense
from winnow.params.landscape import Connectivity, Curvature, Perturbation
from winnow.params.pruning import Level, with_parents
from winnow.stages._experiment import levels as all_levels
from winnow.stages._stage import main, params
from winnow.stages._tickets import LANDSCAPE, LINES, keep_levels, keep_measured, lines_of, ticket
from winnow.storage import load_table, load_tensors, save_json, save_table
from winnow.tickets.files import load_ticket
from winnow.tickets.magnitudes import density_table, magnitude_table

SMALL = Path("plots/tickets")  # in git
OTHERS = Path("data/analysis/tickets")  # only pictures need these
CURVATURE = ["size", "largest", "trace", "trace_error", "predicted_low", "predicted_high"]


def tickets() -> None:
    options = params(dense=Dense, connectivity=Connectivity, perturbation=Perturbation, curvature=Curvature)
    levels, seeds = all_levels(), options.dense.seeds
    keep_levels(levels)
    keep_measured(options.perturbation.runs, options.curvature.levels)
    results = results_of(levels)
    above = dict.fromkeys(pair for name in levels for pair in [*with_parents({name: levels[name]}), (DENSE, name)])
    lines = lines_of(above, seeds)
    between = barriers(lines)
    table = verdicts(results, between)
    pairs = successive_pairs(table, between, levels)
    save_tables(SMALL, results=results, barriers=between, verdicts=table, early_stopping=stopping_of(results))
    to_parents = lines.merge(table[["parent", "level"]].set_axis(["a", "b"], axis=1))
    save_tables(OTHERS, pairs=pairs, lines=along_lines(to_parents), errors_around_cuts=errors_around_cuts(results))

    magnitudes = write_magnitudes(
        {name: name for name in (DENSE, *levels)} | {name: a for a, name in with_parents(levels)}, seeds
    )
    save_tables(OTHERS, magnitudes=weight_histograms(magnitudes, pairs["level"]))
    of_levels = barriers(lines_of(combinations(options.connectivity.matrix, 2), seeds))
    of_children, on_subsets = barriers_of_children(seeds)
    save_tables(SMALL, barriers_of_levels=of_levels, barriers_of_children=of_children, children_subsets=on_subsets)
    means = spread(of_levels[of_levels["split"] == "test"], ["a", "b"], "barrier")
    save_tables(OTHERS, levels=means, children=spread(of_children, ["split", "at"], "barrier"))
    save_tables(OTHERS, children_subsets=subset_curves(on_subsets))
    write_perturbations({name: run.child for name, run in options.perturbation.runs.items()}, table)
    limits = cut_limits(measured := measured_cuts(table, levels))
    save_tables(SMALL, measured_cuts=measured)
    save_tables(OTHERS, cut_limits=limits)
    curvature, predicted = write_curvature(options.curvature.levels, seeds, table)

    save_json("metrics/tickets.json", as_metrics(results, table))
    landscape = {
        "epsilon": float(table["epsilon"].iloc[0]) if table["matching"].notna().any() else None,
        "connected_to_parent_and_matching": connected_and_matching(pairs),
        "at_the_same_sparsity": at_the_same_sparsity(levels, table),
        "largest_cut": largest_cuts(predicted, limits),
        "curvature": mean_curvature(curvature),
    }
    save_json("metrics/landscape.json", landscape)


def save_tables(folder: Path, **tables: pd.DataFrame) -> None:
    """Write each table to the file of its name."""
    for name, table in tables.items():
        save_table(folder / f"{name}.{'csv' if folder == SMALL else 'parquet'}", table)


def results_of(levels: Mapping[str, Level]) -> pd.DataFrame:
    """The results of dense and of all levels, next to what each was made from."""
    about = {DENSE: {"parent": "", "variant": "dense", "rewind": DENSE, "data": "full"}}
    for name, level in levels.items():
        data = level.data.removeprefix("select/")
        about[name] = {"parent": level.parent, "variant": level.kind, "rewind": level.rewind, "data": data}
    results = pd.concat(
        load_table(f"data/tickets/{name}/results.csv").assign(level=name, **facts) for name, facts in about.items()
    )
    first = ["level", *about[DENSE]]
    return results[[*first, *results.columns.drop(first)]]


def stopping_of(results: pd.DataFrame) -> pd.DataFrame:
    """When every training whose epochs were measured would have stopped early, next to what its level was made from,
    and its density."""
    about = results.loc[results["split"] == "train", [*ABOUT, "density", "seed"]]
    paths = [
        (level, Path(f"data/tickets/{level}/seed{seed}/stopping.csv"))
        for level, seed in zip(about["level"], about["seed"], strict=True)
    ]
    found = [load_table(path).assign(level=level) for level, path in paths if path.exists()]
    if not found:
        return pd.DataFrame(columns=[*about.columns, "step", "validation_loss", "error"])
    return about.merge(pd.concat(found), on=["level", "seed"])


def write_magnitudes(parents: Mapping[str, str], seeds: Sequence[int]) -> pd.DataFrame:
    """Write the magnitudes of the weights of every level, and the densities of its layers. parents: by level. Returns
    the magnitudes."""
    densities, tables = [], []
    for name, parent in parents.items():
        own, above = ([load_ticket(ticket(level, seed)) for seed in seeds] for level in (name, parent))
        densities.append(density_table(own).assign(level=name))
        tables.append(magnitude_table(above, own).assign(level=name, parent=parent))
    magnitudes = pd.concat(tables, ignore_index=True)
    save_table("data/magnitudes/density.parquet", pd.concat(densities, ignore_index=True))
    save_table("data/magnitudes/magnitudes.parquet", magnitudes)
    return magnitudes


def barriers_of_children(seeds: Sequence[int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The barriers between the two children that part at each step, on the train and the test split; and the same on
    subsets of the training images too, with the fraction of their images that are connected one by one."""
    folder = LINES / "children"
    tables = [
        load_table(folder / f"{step}/seed{seed}.parquet").assign(at=step, a="a", b="b", seed=seed)
        for step in sorted(int(path.name) for path in folder.iterdir())
        for seed in seeds
    ]
    columns = ["at", "a", "b", "seed", "connected", *MEASURED]
    found = barriers(pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns))
    whole = found[found["split"].isin(["train", "test"])].drop(columns="connected")
    return whole, found.drop(columns=["a", "b"]).rename(columns={"split": "subset"})


def write_perturbations(children: Mapping[str, str], table: pd.DataFrame) -> None:
    """Write the results of training from perturbed rewind points. children: by run, the level that is pruned from the
    perturbed one."""
    keys = ["run", "level", "rewind", "rewind_steps", "multiple", "length", "seed"]
    tables = [load_table(LANDSCAPE / f"perturbation/{name}.parquet") for name in children]
    lines = joined(tables) if tables else pd.DataFrame(columns=[*keys, *MEASURED])
    perturbed = barriers(lines).merge(ends(lines))
    save_tables(SMALL, barriers_perturbed=perturbed)
    save_tables(OTHERS, perturbations=perturbation_curves(perturbed, lines, table, children))


def write_curvature(
    levels: Sequence[str], seeds: Sequence[int], table: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write the spectra of these levels, and the cuts that they predict. Returns the table of curvature and those
    cuts."""
    found = {
        (level, seed): load_tensors(LANDSCAPE / f"curvature/{level}/seed{seed}.safetensors")
        for level in levels
        for seed in seeds
    }
    rows = [
        (*key, tensors["size"][0], tensors["eigenvalues"][0], *tensors["trace"], *tensors["predicted"])
        for key, tensors in found.items()
    ]
    curvature = pd.DataFrame(rows, columns=["level", "seed", *CURVATURE]).astype(dict.fromkeys(CURVATURE, float))
    predicted = predicted_cuts(curvature, table)
    save_tables(SMALL, curvature=curvature)
    spectra = {
        key: whole(tensors["eigenvalues"], int(tensors["size"][0]), tensors["nodes"], tensors["weights"])
        for key, tensors in found.items()
    }
    largest = [(*key, value) for key, tensors in found.items() for value in tensors["eigenvalues"]]
    eigenvalues = pd.DataFrame(largest, columns=["level", "seed", "eigenvalue"])
    save_tables(OTHERS, predicted_cuts=predicted, spectra=mean_densities(spectra), eigenvalues=eigenvalues)
    return curvature, predicted


if __name__ == "__main__":
    main(tickets)
