"""Tables of the page: which, their titles, and their cells as text."""

from typing import Any

import pandas as pd

from winnow.page.files import Files, table
from winnow.page.words import number

MOST_ROWS = 1000  # of one table; the file has all
TITLES = {
    "plots/differences.csv": "Accuracy of subsets against random ones and against all images",
    "plots/accuracy.csv": "Accuracy of every retrained network",
    "plots/detection.csv": "Detection of wrong labels",
    "plots/reliability.csv": "Rank correlation between groups of seeds",
    "plots/rank_correlation.csv": "Rank correlation of scores",
    "plots/history.csv": "Training of the scoring networks",
    "plots/tickets/verdicts.csv": "Every level of pruning, and whether it matches",
    "plots/tickets/results.csv": "Errors of every ticket",
    "plots/tickets/measured_cuts.csv": "Cuts, and whether they stayed connected",
    "plots/tickets/barriers.csv": "Barriers of levels to their parents and to dense",
    "plots/tickets/barriers_of_levels.csv": "Barriers between levels",
    "plots/tickets/barriers_of_children.csv": "Barriers between children",
    "plots/tickets/barriers_perturbed.csv": "Barriers of perturbed runs",
    "plots/tickets/curvature.csv": "Curvature",
}
FOLDERS = ("plots", "plots/tickets")


def tables(files: Files) -> list[dict[str, Any]]:
    """Every table of plots/ that has rows: those with titles in their order, then the others."""
    there = [name for folder in FOLDERS for name in files.names(folder) if name.endswith(".csv")]
    order = [name for name in TITLES if name in there] + [name for name in there if name not in TITLES]
    return [shown for name in order if (shown := of(name, table(files, name)))["rows"]]


def of(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    """A table as text: file, title, columns (name and whether it holds numbers), rows, and how many the file has."""
    numeric = [pd.api.types.is_numeric_dtype(rows[column]) and not pd.api.types.is_bool_dtype(rows[column])
               for column in rows]  # fmt: skip
    plain = name.rpartition("/")[2].removesuffix(".csv").replace("_", " ").capitalize()
    return {
        "file": name,
        "title": TITLES.get(name, plain),
        "slug": name.removesuffix(".csv").replace("/", "-"),
        "columns": [{"name": str(column).replace("_", " "), "numeric": number} for column, number in
                    zip(rows, numeric, strict=True)],
        "rows": [[_cell(cell) for cell in row] for row in rows.head(MOST_ROWS).itertuples(index=False, name=None)],
        "count": len(rows),
    }  # fmt: skip


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        return number(float(value))
    return "" if value is None or pd.isna(value) else str(value)
