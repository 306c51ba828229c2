"""Draw every picture from the tables that earlier stages wrote, and say how the methods did."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from winnow.analysis.comparison import DYNAMIC, in_words, over_fractions
from winnow.analysis.extremes import extremes
from winnow.analysis.how_early import along
from winnow.analysis.spread import spread
from winnow.analysis.velocity import velocity_bands
from winnow.datasets.images import load_facts, load_pixels
from winnow.params.early import Early
from winnow.params.figures import Figures
from winnow.params.ntk import Ntk
from winnow.params.select import Select
from winnow.report.accuracy import accuracy_figure
from winnow.report.agreement import agreement_figure, plane_figure
from winnow.report.correlation import correlation_figure, reliability_figure
from winnow.report.coverage import coverage_figure, strata_figure
from winnow.report.detection import detection_figure
from winnow.report.distributions import distributions_figure
from winnow.report.history import history_figure
from winnow.report.how_early import how_early_figure, how_many_figure
from winnow.report.mosaic import mosaic_figures
from winnow.report.style import Style, save
from winnow.report.suspects import suspects_figure
from winnow.report.target import target_figure
from winnow.report.transfer import transfer_figure
from winnow.report.velocity import velocity_figure
from winnow.report.windows import windows_figure
from winnow.scores.columns import column
from winnow.scores.seed_scores import NO_EPOCH
from winnow.stages._stage import keep_only, main, params
from winnow.storage import atomic_folder, load_table

NTK = Path("data/ntk")


def figures() -> None:
    options = params(early=Early, ntk=Ntk, select=Select, figures=Figures)
    tables = [f"{cohort}.parquet" for cohort in options.early.cohorts]
    keep_only(NTK, tables)
    style = Style(font_size=options.figures.font_size)
    scores = load_table("data/scores/scores.parquet")
    suspects = load_table("data/scores/suspects.csv").head(options.figures.suspects)
    pixels, names = load_pixels("data/images", "train"), load_facts("data/images")["class_names"]
    rows = np.flatnonzero(scores["id"].isin(suspects["id"]))  # not those of all, which may be a million
    row_of = dict(zip(scores["id"].iloc[rows], rows, strict=True))
    last = options.early.epochs[-1]
    of_classes = extremes(scores, column("el2n", last), options.figures.per_class)
    bands = load_table("data/analysis/accuracy.parquet")
    everywhere, accuracy, against, coverage = (
        over_fractions(table, bands, options.select.methods)
        for table in (bands, *(load_table(f"plots/{name}.csv") for name in ("accuracy", "differences", "coverage")))
    )
    drawn = {
        "accuracy": accuracy_figure(accuracy, everywhere, against, style),
        "coverage": coverage_figure(coverage, style),
        "strata": strata_figure(coverage, style),
        "distributions": distributions_figure(load_table("data/analysis/distributions.parquet"), style),
        "rank_correlation": correlation_figure(load_table("plots/rank_correlation.csv"), style),
        "reliability": reliability_figure(load_table("plots/reliability.csv"), style),
        "history": history_figure(load_table("data/analysis/history.parquet"), style),
        "suspects": suspects_figure(pixels[[row_of[name] for name in suspects["id"]]], suspects, style),
    }
    detection = load_table("plots/detection.csv")
    if len(detection):  # some labels are known to be wrong
        drawn["detection"] = detection_figure(detection, load_table("data/analysis/detection.parquet"), style)
    windows = load_table("plots/windows.csv")
    if len(windows):
        drawn["windows"] = windows_figure(windows, bands[bands["keep"] != DYNAMIC], style)
    velocities = velocity_bands(
        pd.concat(load_table(NTK / name) for name in tables), load_table("data/analysis/neighbours.parquet")
    )
    if len(velocities):
        drawn["velocity"] = velocity_figure(velocities, options.ntk.score, style)
    drawn |= drawn_of_timing(scores, style)
    transfer = load_table("plots/transfer.csv")
    if len(transfer):
        drawn["transfer"] = transfer_figure(transfer, load_table("plots/transfer_differences.csv"), style)
    target = load_table("plots/target.csv")
    if len(target):
        drawn["target"] = target_figure(spread(target, ["target", "method", "fraction"], "accuracy"), style)
    sheets = mosaic_figures(pixels, of_classes, names, f"EL2N at epoch {last}", style)
    drawn |= {f"mosaic{page or ''}": sheet for page, sheet in enumerate(sheets)}
    with atomic_folder("plots/pictures") as folder:
        for name, figure in drawn.items():
            save(figure, folder / f"{name}.png", options.figures.dpi)
    print(in_words(against))  # not in the stage compare: its tables are in git, so a fresh clone may skip it


def drawn_of_timing(scores: pd.DataFrame, style: Style) -> dict[str, Figure]:
    """How early scores may be taken, and over how many networks: those of the pictures for which there are data."""
    timing, agreement = load_table("plots/how_early.csv"), load_table("plots/agreement.csv")
    drawn = {}
    for name, x, figure in (("how_early", "epoch", how_early_figure), ("how_many", "seeds", how_many_figure)):
        if len(along(timing, x)):
            drawn[name] = figure(timing, style)
    if len(agreement):
        drawn["agreement"] = agreement_figure(agreement, style)
    norm = agreement[(agreement["reference"] == "input_norm") & (agreement["score"] == "grand")]
    for row in norm[norm["epoch"] == 0].to_dict("records"):  # one at most
        found = f"{row['spearman']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        columns = scores[[column("input_norm", NO_EPOCH), column("grand", 0)]]
        drawn["initial_grand"] = plane_figure(columns, ("Norm of the input", "GraNd at initialisation"), found, style)
    return drawn


if __name__ == "__main__":
    main(figures)
