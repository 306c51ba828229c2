"""Write the comparison: tables, pictures and the page."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from winnow.analysis.gains import BASELINE, gains, over_all, regimes
from winnow.comparison.page import cost_table, page
from winnow.report.critical_difference import critical_difference_figure
from winnow.report.methods import cost_figure, gains_figure, share_figure
from winnow.report.style import Style, save
from winnow.storage import atomic_file, save_table

PAGE = "README.md"
DPI = 110


def write(folder: Path, results: pd.DataFrame, costs: pd.DataFrame, about: Mapping[str, str]) -> Path:
    """Write all that the comparison shows to a folder; returns the page.

    results: of ``collect.collected``; costs: of ``cost.costs``, of all settings; about: each setting in a sentence.
    Raises ValueError if there is no method besides random.
    """
    found, ranks = gains(results), over_all(results)
    parts, of_methods = regimes(results, found), cost_table(costs)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in {"results": results, "gains": found, "costs": costs}.items():
        save_table(folder / f"{name}.csv", table)
    style, order = Style(), list(ranks.ranks.index)
    best = list(dict.fromkeys(part.best[0] for part in parts)) + order
    save(critical_difference_figure(ranks, style), folder / "critical_difference.png", DPI)
    save(share_figure(results, list(dict.fromkeys(best)), style), folder / "accuracy.png", DPI)
    save(gains_figure(found, order, style), folder / "gains.png", DPI)
    save(cost_figure(of_methods[of_methods["method"] != BASELINE], found, style), folder / "cost.png", DPI)
    with atomic_file(folder / PAGE) as file:
        file.write_text(page(ranks, parts, found, of_methods, about), encoding="utf-8")
    return folder / PAGE
