"""What holds for every picture of sparse networks."""

import math
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
import ticket_data as made
from matplotlib.figure import Figure
from winnow.report.spawn import spawn_figure

from winnow.report.barriers import barrier_matrix_figure, connectivity_figure
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
    verdicts = renamed(made.verdicts(tickets, barriers, epsilon))
    tickets, barriers = renamed(tickets), renamed(barriers)
    steps = (0, 100, 500, 2000)[: max(1, levels)]
    perturbed = made.perturbations(steps, (("early", 500),), seeds)
    names = [given(level) for level in made.level_names(levels)]
    return {
        "tickets": lambda style: tickets_figure(tickets, verdicts, style),
        "cut errors": lambda style: cut_errors_figure(tickets, style),
        "connectivity": lambda style: connectivity_figure(verdicts, barriers, style),
        "barrier matrix": lambda style: barrier_matrix_figure(barriers, names, verdicts, style),
        "lines": lambda style: lines_figure(renamed(made.lines(levels, seeds)), verdicts, style),
        "spectra": lambda style: spectra_figure(*map(renamed, made.spectra(levels, seeds)), style),
        "cuts": lambda style: cuts_figure(*map(renamed, made.cuts(levels, seeds)), style),
        "magnitudes": lambda style: magnitudes_figure(renamed(made.magnitudes(levels, 2000)), style),
        "density": lambda style: density_figure(renamed(made.densities(levels)), style),
        "perturbations": lambda style: perturbations_figure(perturbed, made.references(perturbed), epsilon, style),
        "spawn": lambda style: spawn_figure(made.spawn(steps, seeds), epsilon, style),
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
    figure = cut_errors_figure(table.assign(left=table["left"].where(table["level"] == "dense", left)), Style())
    assert overlaps(figure) == []
    assert sum(0 <= label.get_position()[0] <= 100 for label in figure.axes[-1].get_xticklabels()) > 2


def empty(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[:0]


def test_an_empty_table_is_an_error_that_says_of_what():
    tickets = made.tickets(levels=2)
    barriers = made.barriers(tickets)
    verdicts = made.verdicts(tickets, barriers)
    densities, eigenvalues = made.spectra(2)
    perturbed = empty(made.perturbations())
    style = Style()
    for message, draw in {
        "no error of split 'test'": lambda: tickets_figure(empty(tickets), verdicts, style),
        "right after a cut": lambda: cut_errors_figure(
            tickets.assign(error_after_cut=np.nan, error_after_two_cuts=np.nan), style
        ),
        "no level has a barrier": lambda: connectivity_figure(empty(verdicts), barriers, style),
        "no barrier of split 'test'": lambda: barrier_matrix_figure(empty(barriers), ["dense"], verdicts, style),
        "along a line": lambda: lines_figure(empty(made.lines(2)), verdicts, style),
        "no spectral density": lambda: spectra_figure(empty(densities), eigenvalues, style),
        "neither predicted nor measured": lambda: cuts_figure(*map(empty, made.cuts(2)), style),
        "of layer 'all'": lambda: magnitudes_figure(empty(made.magnitudes(2, 100)), style),
        "density of a layer": lambda: density_figure(empty(made.densities(2)), style),
        "no perturbation": lambda: perturbations_figure(perturbed, made.references(perturbed), 0.01, style),
        "between children": lambda: spawn_figure(empty(made.spawn()), 0.01, style),
    }.items():
        with pytest.raises(ValueError, match=message):
            draw()


def test_pyplot_and_torch_are_never_loaded():
    modules = "barriers, cuts, density, lines, magnitudes, perturbations, spawn, spectra, tickets"
    code = f"import sys; from winnow.report import {modules}\n"
    code += "print(sorted({'matplotlib.pyplot', 'torch'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
