import subprocess
import sys
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.report.figure_data import EIGHT, accuracies, histograms, pictures, scores, suspects
from winnow.analysis.comparison import accuracy_bands
from winnow.report.accuracy import accuracy_figure
from winnow.report.distributions import distributions_figure
from winnow.report.style import Style, drawing, looks, new_figure, save, shorten, text_width
from winnow.report.suspects import suspects_figure

pytestmark = pytest.mark.filterwarnings("error")


def of_accuracies():
    accuracy, differences = accuracies()
    return accuracy_figure(accuracy, accuracy_bands(accuracy), differences, Style())


def test_random_and_full_always_look_the_same():
    first, second = looks(["random", "el2n", "full"]), looks(["full", "grand", "el2n", "random"])
    assert first["random"] == second["random"] and first["random"].line == "--"
    assert first["full"] == second["full"] and first["full"].color == "#000000"
    assert first["el2n"] == second["grand"], "the first method gets the first look"


def test_methods_differ_in_marker_and_line_or_colour():
    for (_, a), (_, b) in combinations(looks(EIGHT).items(), 2):
        assert a.color != b.color
        assert a.marker != b.marker
    many = looks(f"method{i}" for i in range(50)).values()
    assert len({str(look) for look in many}) == 50


def test_first_colours_differ_as_greys():
    greys = [np.dot((0.299, 0.587, 0.114), mpl.colors.to_rgb(look.color)) for look in looks("abc").values()]
    assert all(abs(a - b) > 0.1 for a, b in combinations(greys, 2))


@given(st.text(alphabet=st.characters(codec="ascii"), min_size=1, max_size=60), st.floats(0.3, 3))
def test_shortened_text_fits_and_keeps_both_ends(text, width):
    short = shorten(text, width, 8)
    plain = "".join(c if c.isprintable() else "□" for c in " ".join(text.split()))
    assert text_width(short, 8) <= width
    if short != plain:
        head, tail = short.split("…")
        assert plain.startswith(head) and plain.endswith(tail) and len(short) <= len(plain)


@pytest.mark.parametrize("text", ["WWWWWW", "train-00012", "illicit", "EL2N 1.41 ± 0.01…", "□"])
def test_width_is_what_matplotlib_draws(text):
    with drawing(Style()):
        figure = new_figure(Style(), 9, 1)
    drawn = figure.text(0, 0, text, fontsize=20, family="DejaVu Sans").get_window_extent().width / figure.dpi
    assert text_width(text, 20) == pytest.approx(drawn, rel=0.08)


def test_shorten_leaves_fitting_text_alone():
    assert shorten("train-00012", 2, 8) == "train-00012"
    assert shorten("train/some_class/some_image_000123.png", 1, 8).endswith("123.png")


@pytest.mark.parametrize(
    "build",
    [
        of_accuracies,
        lambda: distributions_figure(histograms(scores(), np.arange(200) % 9 == 0), Style()),
        lambda: suspects_figure(pictures(5), suspects(5), Style()),
    ],
)
def test_same_picture_gives_same_bytes(tmp_path, build):
    save(build(), tmp_path / "a.png", 60)
    save(build(), tmp_path / "b.png", 60)
    figure = build()
    save(figure, tmp_path / "c.png", 60)
    save(figure, tmp_path / "c.png", 60)
    first = (tmp_path / "a.png").read_bytes()
    assert first == (tmp_path / "b.png").read_bytes() == (tmp_path / "c.png").read_bytes()


def test_saved_picture_has_its_size_and_no_text_chunks(tmp_path):
    with drawing(Style()):
        figure = new_figure(Style(), 3, 2)
    save(figure, tmp_path / "new" / "picture.png", 100)
    with Image.open(tmp_path / "new" / "picture.png") as image:
        assert image.size == (300, 200)
        assert image.text == {}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["picture.png"]


def test_settings_of_the_user_change_nothing(tmp_path):
    save(of_accuracies(), tmp_path / "a.png", 60)
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.facecolor": "blue", "lines.linewidth": 9}):
        save(of_accuracies(), tmp_path / "b.png", 60)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_pyplot_is_never_loaded():
    modules = "accuracy, correlation, distributions, history, mosaic, suspects"
    code = f"import sys; from winnow.report import {modules}; from winnow.report.style import *\n"
    code += "with drawing(Style()): new_figure(Style(), 1, 1)\n"
    code += "print(sorted({'matplotlib.pyplot', 'torch'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
