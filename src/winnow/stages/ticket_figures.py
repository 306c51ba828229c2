"""Draw every picture of the tickets from the tables of earlier stages, and say which tickets match."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from winnow.analysis.summary import in_words
from winnow.params.figures import Figures
from winnow.report.barriers import barrier_matrix_figure, connectivity_figure
from winnow.report.children import children_figure, children_subsets_figure
from winnow.report.cuts import cuts_figure
from winnow.report.density import density_figure
from winnow.report.early_stopping import early_stopping_figure
from winnow.report.lines import lines_figure
from winnow.report.magnitudes import magnitudes_figure
from winnow.report.marks import epsilon_of
from winnow.report.perturbations import perturbations_figure
from winnow.report.spectra import spectra_figure
from winnow.report.style import Style, save
from winnow.report.tickets import cut_errors_figure, tickets_figure
from winnow.stages._stage import main, params
from winnow.storage import atomic_folder, load_json, load_table


def ticket_figures() -> None:
    options = params(figures=Figures).figures
    style = Style(font_size=options.font_size)
    verdicts = load_table("plots/tickets/verdicts.csv")
    with atomic_folder("plots/ticket_pictures") as folder:
        for name, figure in pictures(verdicts, style).items():
            save(figure, folder / f"{name}.png", options.dpi)
    print(in_words(verdicts))  # not in the stage tickets: its tables are in git, so a fresh clone may skip it


def pictures(verdicts: pd.DataFrame, style: Style) -> dict[str, Figure]:
    """Every picture that has something to show, by name."""
    epsilon = epsilon_of(verdicts)
    tables = {path.stem: load_table(path) for path in sorted(Path("data/analysis/tickets").iterdir())}
    children, measured = (load_table(f"plots/tickets/{name}.csv") for name in ("barriers_of_children", "measured_cuts"))
    pairs = tables["pairs"]
    drawn: dict[str, Figure] = {}
    if len(verdicts):
        drawn["errors"] = tickets_figure(verdicts, style)
        drawn["layers"] = density_figure(load_table("data/magnitudes/density.parquet"), verdicts, style)
    if len(tables["lines"]):
        drawn["lines"] = lines_figure(tables["lines"], verdicts, style)
    if len(pairs):
        drawn["magnitudes"] = magnitudes_figure(tables["magnitudes"], style)
    if len(pairs) and verdicts["matching"].notna().all():  # with one replicate, matching is not known
        counts = load_json("metrics/landscape.json")["connected_to_parent_and_matching"]
        drawn["connectivity"] = connectivity_figure(pairs, counts, epsilon, style)
    if (tables["errors_around_cuts"]["moment"] != "error").any():
        drawn["cuts_without_retraining"] = cut_errors_figure(tables["errors_around_cuts"], style)
    if len(stopping := load_table("plots/tickets/early_stopping.csv")):
        drawn["early_stopping"] = early_stopping_figure(stopping, style)
    if len(tables["levels"]):
        drawn["barriers"] = barrier_matrix_figure(tables["levels"], verdicts, style)
    if len(children):
        drawn["children"] = children_figure(children, tables["children"], epsilon, style)
    if "lowest" in set(tables["children_subsets"]["subset"]):
        drawn["children_subsets"] = children_subsets_figure(tables["children_subsets"], style)
    if len(tables["perturbations"]):
        drawn["perturbations"] = perturbations_figure(tables["perturbations"], epsilon, style)
    if len(tables["predicted_cuts"]):
        drawn["largest_cuts"] = cuts_figure(tables["predicted_cuts"], measured, tables["cut_limits"], style)
        drawn["spectra"] = spectra_figure(tables["spectra"], tables["eigenvalues"], style)
    return drawn


if __name__ == "__main__":
    main(ticket_figures)
