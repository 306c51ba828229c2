"""Write the comparison of pruning: tables, pictures and the page."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from winnow.analysis.before_after import before_and_after, correlations
from winnow.analysis.pruned import changes, checked, over_densities
from winnow.comparison.pruning.page import page
from winnow.report.critical_difference import critical_difference_figure
from winnow.report.pruned import before_after_figure, checks_figure, cost_accuracy_figure, density_accuracy_figure
from winnow.report.style import Style, save
from winnow.storage import atomic_file, save_table

PAGE = "README.md"
DPI = 110


def write(
    folder: Path, results: pd.DataFrame, latency: pd.DataFrame, beyond: pd.DataFrame, about: Mapping[str, str]
) -> Path:
    """Write all that the comparison shows to a folder; returns the page.

    results: of ``collect.collected``; latency, beyond: as ``page.page`` takes them; about: each setting in a sentence.
    Raises ValueError if there are fewer than two methods.
    """
    found, of_checks, ranks = changes(results), checked(results), over_densities(results)
    twice = before_and_after(results)
    taus = correlations(twice)
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"results": results, "changes": found, "checks": of_checks, "before_after": taus, "latency": latency,
              "beyond": beyond}  # fmt: skip
    for name, table in tables.items():
        save_table(folder / f"{name}.csv", table)
    style, order = Style(), [str(name) for name in ranks.ranks.index]
    save(critical_difference_figure(ranks, style), folder / "critical_difference.png", DPI)
    save(density_accuracy_figure(results, order, style), folder / "accuracy.png", DPI)
    if (found["cost"] > 0).any():
        save(cost_accuracy_figure(found, style), folder / "cost.png", DPI)
    if len(twice):
        save(before_after_figure(twice, style), folder / "before_after.png", DPI)
    if len(of_checks):
        others = [name for name in of_checks["method"].unique() if name not in order]
        save(checks_figure(of_checks, order + others, style), folder / "checks.png", DPI)
    with atomic_file(folder / PAGE) as file:
        file.write_text(page(ranks, results, found, of_checks, taus, latency, beyond, about), encoding="utf-8")
    return folder / PAGE
