"""What holds for every picture of sparse networks."""

import math
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.report import ticket_data as made
from winnow.analysis.curves import along_lines, subset_curves
from winnow.analysis.cuts import cut_limits, errors_around_cuts, predicted_cuts
from winnow.analysis.spread import spread
from winnow.analysis.summary import connected_and_matching
from winnow.report.barriers import barrier_matrix_figure, connectivity_figure
from winnow.report.children import children_figure, children_subsets_figure
from winnow.report.cuts import cuts_figure
from winnow.report.density import density_figure
from winnow.report.lines import lines_figure
from winnow.report.magnitudes import magnitudes_figure
from winnow.report.perturbations import perturbations_figure
from winnow.report.spectra import spectra_figure
from winnow.report.style import Style
from winnow.report.tickets import cut_errors_figure, tickets_figure

pytestmark = pytest.mark.filterwarnings("error")


def pictures(levels: int, seeds: int, epsilon: float, name: Callable[[str], str] = str) -> dict[str, Callable]:
    """Every picture as a function of a style; ``name`` makes other names of the levels."""

    def given(old: str) -> str:
        return name(old) if old not in ("", "dense") else old

    def renamed(table: pd.DataFrame) -> pd.DataFrame:
        columns = {"level", "parent", "a", "b", "child"} & set(table.columns)
        return table.assign(**{column: table[column].map(given) for column in columns})

    many = made.MANY_LINES if levels > 4 else made.LINES
    tickets = made.tickets(many, levels, seeds)
    barriers = made.barriers(tickets)
    verdicts = made.verdicts(tickets, barriers, epsilon)
    pairs = renamed(made.pairs(verdicts, barriers))
    counts = connected_and_matching(pairs)
    errors, verdicts = renamed(errors_around_cuts(tickets)), renamed(verdicts)
    matrix = renamed(spread(barriers[barriers["split"] == "test"], ["a", "b"], "barrier"))
    curvature, measured = map(renamed, made.cuts(levels, seeds))
    predicted = predicted_cuts(curvature, curvature[["level", "density"]].drop_duplicates())
    densities, eigenvalues = map(renamed, made.spectra(levels, seeds))
    spectra = spread(densities, ["level", "x"], "density")
    steps = (0, 100, 500, 2000)[: max(1, levels)]
    perturbed = made.perturbations(steps, (("early", 500),), seeds)
    curves = made.curves(perturbed, made.references(perturbed))
    children, layers = made.children(steps, seeds), renamed(made.densities(levels))
    of_children = spread(children, ["split", "at"], "barrier")
    on_subsets = subset_curves(made.children_on_subsets(steps, seeds))
    return {
        "tickets": lambda style: tickets_figure(verdicts, style),
        "cut errors": lambda style: cut_errors_figure(errors, style),
        "connectivity": lambda style: connectivity_figure(pairs, counts, epsilon, style),
        "barrier matrix": lambda style: barrier_matrix_figure(matrix, verdicts, style),
        "lines": lambda style: lines_figure(along_lines(renamed(made.lines(levels, seeds))), verdicts, style),
        "spectra": lambda style: spectra_figure(spectra, eigenvalues, style),
        "cuts": lambda style: cuts_figure(predicted, measured, cut_limits(measured), style),
        "magnitudes": lambda style: magnitudes_figure(made.histograms(renamed(made.magnitudes(levels, 2000))), style),
        "density": lambda style: density_figure(layers, made.of_levels(layers), style),
        "perturbations": lambda style: perturbations_figure(curves, epsilon, style),
        "children": lambda style: children_figure(children, of_children, epsilon, style),
        "children on subsets": lambda style: children_subsets_figure(on_subsets, style),
    }


FEW = pictures(4, 2, made.EPSILON)
ONE = pictures(1, 1, math.nan)
MANY = pictures(25, 2, made.EPSILON, lambda level: f"an-unusually-long-name-of-a-recipe-{level}")


def overlaps(figure: Figure) -> list[str]:
    """Numbers beside an axis, notes and titles that touch each other, and text that leaves the picture."""
    figure.set_dpi(50)
    figure.canvas.draw()
    notes = [text for axes in figure.axes for text in (axes.title, axes._left_title)] + figure.texts
    notes += [text for legend in figure.legends for text in legend.get_texts()]
    drawn = [(text.get_text(), text.get_window_extent()) for text in notes if text.get_text()]
    found = [f"{a!r} and {b!r}" for (a, box), (b, other) in combinations(drawn, 2) if box.overlaps(other)]
    for axes in figure.axes:
        for axis, side in ((axes.xaxis, "x"), (axes.yaxis, "y")):
            labels = [label for label in axis.get_ticklabels() if label.get_text() and label.get_visible()]
            low, high = sorted(axis.get_view_interval())
            inside = [label for label in labels if low <= getattr(label, f"_{side}") <= high]
            boxes = sorted((label.get_window_extent() for label in inside), key=lambda box: getattr(box, f"{side}0"))
            found += [f"{side} of {axes.get_title()!r}" for a, b in pairwise(boxes) if a.overlaps(b)]
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height:
        found.append(f"outside: {box} of {width} by {height}")
    return found


@pytest.mark.parametrize("which", list(FEW))
@pytest.mark.parametrize(("tables", "size"), [(FEW, 4.0), (ONE, 9.0), (MANY, 20.0)], ids=["few", "one", "many"])
def test_nothing_overlaps_or_leaves_the_picture(which, tables, size):
    assert overlaps(tables[which](Style(size))) == []


@pytest.mark.parametrize("which", list(ONE))
def test_nothing_overlaps_with_one_level_of_several_replicates(which):
    assert overlaps(pictures(1, 3, made.EPSILON)[which](Style())) == []


@pytest.mark.parametrize("left", [0.03, 0.003, 1e-4])
def test_a_large_cut_made_twice_has_room_on_the_axis(left):
    table = made.tickets(made.MANY_LINES, 1)
    table["density"] = table["density"].where(table["level"] == "dense", left)
    figure = cut_errors_figure(errors_around_cuts(table), Style())
    assert overlaps(figure) == []
    assert sum(0 <= label.get_position()[0] <= 100 for label in figure.axes[-1].get_xticklabels()) > 2


def test_an_empty_table_is_an_error_that_says_of_what():
    tickets = made.tickets(levels=2)
    barriers = made.barriers(tickets)
    verdicts = made.verdicts(tickets, barriers)
    _, eigenvalues = made.spectra(2)
    none = pd.DataFrame
    bands = ["mean", "low", "high", "count"]
    style = Style()
    for message, draw in {
        "no error of a level": lambda: tickets_figure(verdicts.iloc[:0], style),
        "right after a cut": lambda: cut_errors_figure(
            errors_around_cuts(tickets.assign(error_after_cut=np.nan, error_after_two_cuts=np.nan)), style
        ),
        "no level has a barrier": lambda: connectivity_figure(none(), {}, 0.01, style),
        "no barrier between two levels": lambda: barrier_matrix_figure(none(), verdicts, style),
        "along a line": lambda: lines_figure(none(), verdicts, style),
        "no spectral density": lambda: spectra_figure(none(columns=["level", "x", *bands]), eigenvalues, style),
        "neither predicted nor measured": lambda: cuts_figure(
            none(columns=["density", "prediction", *bands]), made.cuts(2)[1].iloc[:0], none(), style
        ),
        "no magnitudes": lambda: magnitudes_figure(made.histograms(made.magnitudes(2, 100)).iloc[:0], style),
        "density of a layer": lambda: density_figure(made.densities(2).iloc[:0], verdicts, style),
        "no perturbation": lambda: perturbations_figure(none(), 0.01, style),
        "between children": lambda: children_figure(none(), none(), 0.01, style),
        "barrier on a subset": lambda: children_subsets_figure(none(columns=["subset", *bands]), style),
    }.items():
        with pytest.raises(ValueError, match=message):
            draw()


def test_pyplot_and_torch_are_never_loaded():
    modules = "barriers, children, cuts, density, lines, magnitudes, perturbations, spectra, tickets"
    code = f"import sys; from winnow.report import {modules}\n"
    code += "print(sorted({'matplotlib.pyplot', 'torch'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
