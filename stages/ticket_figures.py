"""Draw every picture of the tickets from the tables and landscapes of earlier stages, and say which tickets match."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from stages._stage import main, params
from stages._tickets import LANDSCAPE, keep_measured, lines_of
from winnow.params.dense import Dense
from winnow.params.figures import Figures
from winnow.params.imp import Imp, with_parents
from winnow.params.landscape import Connectivity, Curvature, Perturbation, Perturbed
from winnow.report.barriers import barrier_matrix_figure, connectivity_figure
from winnow.report.cuts import cuts_figure
from winnow.report.density import density_figure
from winnow.report.lines import lines_figure
from winnow.report.magnitudes import magnitudes_figure
from winnow.report.marks import epsilon_of
from winnow.report.perturbations import perturbations_figure
from winnow.report.spawn import spawn_figure
from winnow.report.spectra import densities, spectra_figure, whole
from winnow.report.style import Style, save
from winnow.report.tickets import cut_errors_figure, tickets_figure
from winnow.storage import atomic_folder, load_table, load_tensors
from winnow.tickets.summary import in_words, successive

TABLES, MAGNITUDES = Path("plots/tickets"), Path("data/magnitudes")


def ticket_figures() -> None:
    options = params(
        dense=Dense, imp=Imp, connectivity=Connectivity, perturbation=Perturbation, curvature=Curvature, figures=Figures
    )
    keep_measured(options.perturbation.runs, options.curvature.levels)
    style = Style(font_size=options.figures.font_size)
    results, verdicts, barriers = (_table(name) for name in ("results", "verdicts", "barriers"))
    matrix, children, perturbed = (_table(f"barriers_{name}") for name in ("of_levels", "of_children", "perturbed"))
    curvature, measured = _table("curvature"), _table("measured_cuts")
    left = verdicts[["level", "left"]]
    magnitudes = load_table(MAGNITUDES / "magnitudes.parquet")
    layers = load_table(MAGNITUDES / "density.parquet").merge(left, on="level")
    drawn: dict[str, Figure] = {}
    if len(results):
        drawn["errors"] = tickets_figure(results, verdicts, style)
        drawn["layers"] = density_figure(layers, style)
    of_parents = with_parents(options.imp.levels)
    if of_parents:
        to_parents = lines_of(of_parents, options.dense.seeds)
        drawn["lines"] = lines_figure(to_parents, verdicts, style)
    is_successive = successive(verdicts, options.imp.levels)
    if is_successive.any():
        drawn["magnitudes"] = magnitudes_figure(magnitudes.merge(verdicts.loc[is_successive, ["level"]]), style)
    if is_successive.any() and verdicts["matching"].notna().all():  # one replicate tells nothing of matching
        to_parent = verdicts["barrier_to_parent"].where(is_successive)
        drawn["connectivity"] = connectivity_figure(verdicts.assign(barrier_to_parent=to_parent), barriers, style)
    if results["error_after_cut"].notna().any():
        drawn["cuts_without_retraining"] = cut_errors_figure(results, style)
    if len(matrix):
        drawn["barriers"] = barrier_matrix_figure(matrix, options.connectivity.matrix, verdicts, style)
    if len(children):
        drawn["children"] = spawn_figure(children, epsilon_of(verdicts), style)
    if len(perturbed):
        references = _references(options.perturbation.runs, barriers)
        drawn["perturbations"] = perturbations_figure(perturbed, references, epsilon_of(verdicts), style)
    if len(curvature):
        drawn["largest_cuts"] = cuts_figure(curvature.merge(left), measured, style)
        drawn["spectra"] = spectra_figure(*_spectra(options.curvature.levels, options.dense.seeds), style)
    with atomic_folder("plots/ticket_pictures") as folder:
        for name, figure in drawn.items():
            save(figure, folder / f"{name}.png", options.figures.dpi)
    print(in_words(verdicts))  # here, not in tickets: whose tables are in git, so a fresh clone may skip it


def _table(name: str) -> pd.DataFrame:
    return load_table(TABLES / f"{name}.csv")


def _references(runs: Mapping[str, Perturbed], barriers: pd.DataFrame) -> pd.DataFrame:
    """What each run is compared with: the error of its level, and the barrier of its child to it; columns run, seed,
    split, error and barrier."""
    tables = []
    for name, run in runs.items():
        lines = load_table(LANDSCAPE / f"perturbation/{name}.parquet")
        errors = lines[lines["alpha"] == 0].groupby(["seed", "split"], as_index=False)["error"].first()
        of_cut = barriers[(barriers["a"] == run.level) & (barriers["b"] == run.child)]
        found = errors.merge(of_cut[["seed", "split", "barrier"]], how="left")
        tables.append(found.assign(run=name))
    return pd.concat(tables)


def _spectra(levels: list[str], seeds: list[int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Densities (level, seed, x, density) of all eigenvalues, and the largest ones (level, seed, eigenvalue)."""
    found = {
        (level, seed): load_tensors(LANDSCAPE / f"curvature/{level}/seed{seed}.safetensors")
        for level in levels
        for seed in seeds
    }
    of_all = densities(
        {
            key: whole(tensors["eigenvalues"], int(tensors["size"][0]), tensors["nodes"], tensors["weights"])
            for key, tensors in found.items()
        }
    )
    eigenvalues = [
        pd.DataFrame({"level": level, "seed": seed, "eigenvalue": tensors["eigenvalues"]})
        for (level, seed), tensors in found.items()
    ]
    return of_all, pd.concat(eigenvalues, ignore_index=True)


if __name__ == "__main__":
    main(ticket_figures)
