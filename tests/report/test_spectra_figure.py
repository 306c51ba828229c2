import numpy as np

from tests.report.ticket_data import spectra
from winnow.analysis.spread import spread
from winnow.report.spectra import power, spectra_figure
from winnow.report.style import Style


def draw(densities, eigenvalues):
    return spectra_figure(spread(densities, ["level", "x"], "density"), eigenvalues, Style())


def test_powers_of_ten():
    assert [power(1e-12), power(1), power(100)] == ["10⁻¹²", "10⁰", "10²"]


def test_each_level_has_its_density_and_its_largest_eigenvalues():
    densities, eigenvalues = spectra(3)
    figure = draw(densities, eigenvalues)
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["dense", "l1", "l2"]
    for axes, level in zip(figure.axes, ("dense", "l1", "l2"), strict=True):
        rows = densities[densities["level"] == level]
        seen = rows["density"] > 1e-6 * densities["density"].max()
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), rows["x"])
        np.testing.assert_allclose(axes.lines[0].get_ydata()[seen], rows["density"][seen])
        ticks = [segment[0][0] for segment in axes.collections[-1].get_segments()]
        np.testing.assert_allclose(ticks, eigenvalues.loc[eigenvalues["level"] == level, "eigenvalue"])
    assert figure.axes[0].get_xscale() == "symlog" and figure.axes[0].get_yscale() == "log"
    low, high = figure.axes[0].get_xlim()
    assert low < densities["x"].min() and high > eigenvalues["eigenvalue"].max()


def test_replicates_are_averaged_and_give_a_band():
    densities, eigenvalues = spectra(1, seeds=3)
    figure = draw(densities, eigenvalues)
    middle = densities.groupby("x")["density"].mean()
    highest = np.argmax(middle)
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata()[highest], middle.max())
    assert "band" in figure.get_suptitle()
    assert "band" not in draw(*spectra(1)).get_suptitle()


def test_without_eigenvalues_there_are_no_ticks_and_many_levels_are_thinned():
    densities, eigenvalues = spectra(20)
    figure = draw(densities, eigenvalues.iloc[:0])
    assert len(figure.axes) == 8 and figure.get_suptitle() == "8 of 20 levels"


def test_the_axis_reaches_down_to_the_largest_eigenvalues():
    densities, eigenvalues = spectra(2)
    faint = densities.assign(density=densities["density"] * np.where(densities["x"] > 1, 1e-5, 1))
    assert (low := draw(faint, eigenvalues).axes[0].get_ylim()[0]) > 0
    rows = faint[faint["level"] == "l1"]
    at = np.interp(eigenvalues.loc[eigenvalues["level"] == "l1", "eigenvalue"], rows["x"], rows["density"])
    assert low < at.min()
    assert draw(faint, eigenvalues.iloc[:0]).axes[0].get_ylim()[0] > low


def test_it_is_said_how_many_ticks_a_seed_has():
    assert "ticks: the 10 largest of each seed" in draw(*spectra(2, seeds=3)).get_suptitle()
    densities, eigenvalues = spectra(1)
    largest = draw(densities, eigenvalues[eigenvalues["rank"] == 1])
    assert largest.get_suptitle() == "ticks: the largest of each seed"
