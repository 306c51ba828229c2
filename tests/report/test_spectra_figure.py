import numpy as np
import pytest
from ticket_data import spectra

from winnow.report.spectra import densities, spectra_figure, whole
from winnow.report.style import Style


def test_each_level_has_its_density_and_its_largest_eigenvalues():
    densities, eigenvalues = spectra(3)
    figure = spectra_figure(densities, eigenvalues, Style())
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
    figure = spectra_figure(densities, eigenvalues, Style())
    middle = densities.groupby("x")["density"].mean()
    highest = np.argmax(middle)
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata()[highest], middle.max())
    assert "band" in figure.get_suptitle()
    assert "band" not in spectra_figure(*spectra(1), Style()).get_suptitle()


def test_without_eigenvalues_there_are_no_ticks_and_many_levels_are_thinned():
    densities, eigenvalues = spectra(20)
    figure = spectra_figure(densities, eigenvalues.iloc[:0], Style())
    assert len(figure.axes) == 8 and figure.get_suptitle() == "8 of 20 levels"


def test_densities_of_quadratures():
    """Each of a level's replicates has a density of its own that integrates to 1, on a grid that is common to all."""
    random = np.random.default_rng(0)
    spectra = {}
    for level, scale in (("dense", 1.0), ("l1", 30.0)):
        for seed in (0, 1):
            nodes = scale * np.concatenate([random.normal(0, 1e-3, (2, 20)), random.exponential(1, (2, 10))], axis=1)
            weights = random.random((2, 30))
            spectra[(level, seed)] = nodes, weights / weights.sum(axis=1, keepdims=True)
    found = densities(spectra)
    assert list(found.columns) == ["level", "seed", "x", "density"]
    grids = [rows["x"].to_numpy() for _, rows in found.groupby(["level", "seed"])]
    assert len(grids) == 4
    assert all(np.array_equal(grid, grids[0]) for grid in grids)
    for key, rows in found.groupby(["level", "seed"]):
        x, density = rows["x"].to_numpy(), rows["density"].to_numpy()
        assert (np.diff(x) > 0).all()
        assert np.trapezoid(density, x) == pytest.approx(1, abs=2e-3)
        nodes, weights = spectra[key]
        mean = (weights * nodes).sum(axis=1).mean()  # the bells are a little wider to the right
        assert np.trapezoid(density * x, x) == pytest.approx(mean, rel=0.02)


def test_the_largest_eigenvalues_count_as_much_as_the_others():
    """Against the histogram of all eigenvalues of a matrix, each of which is a node of a quadrature's others."""
    random = np.random.default_rng(1)
    every = np.sort(np.concatenate([random.normal(0, 0.01, 80), random.exponential(1, 15), [40.0, 60, 61, 90, 100]]))
    others, largest = every[:-5], every[:-6:-1]
    nodes, weights = np.tile(others, (2, 1)), np.full((2, 95), 1 / 95)
    table = densities({("dense", 0): whole(largest, 100, nodes, weights)})
    x, density = table["x"].to_numpy(), table["density"].to_numpy()
    assert np.trapezoid(density, x) == pytest.approx(1, abs=2e-3)
    for low, high in ((-0.1, 0.1), (10, 20), (30, 50), (50, 75), (75, 150)):
        within = (x >= low) & (x <= high)
        share = np.mean((every >= low) & (every <= high))
        assert np.trapezoid(density[within], x[within]) == pytest.approx(share, abs=5e-3)
    mean = np.trapezoid(density * x, x)
    assert mean == pytest.approx(every.mean(), rel=0.02)


def test_the_axis_reaches_down_to_the_largest_eigenvalues():
    densities, eigenvalues = spectra(2)
    faint = densities.assign(density=densities["density"] * np.where(densities["x"] > 1, 1e-5, 1))
    assert (low := spectra_figure(faint, eigenvalues, Style()).axes[0].get_ylim()[0]) > 0
    rows = faint[faint["level"] == "l1"]
    at = np.interp(eigenvalues.loc[eigenvalues["level"] == "l1", "eigenvalue"], rows["x"], rows["density"])
    assert low < at.min()
    assert spectra_figure(faint, eigenvalues.iloc[:0], Style()).axes[0].get_ylim()[0] > low


def test_it_is_said_how_many_ticks_a_seed_has():
    assert "ticks: the 10 largest of each seed" in spectra_figure(*spectra(2, seeds=3), Style()).get_suptitle()
    densities, eigenvalues = spectra(1)
    largest = spectra_figure(densities, eigenvalues[eigenvalues["rank"] == 1], Style())
    assert largest.get_suptitle() == "ticks: the largest of each seed"


def test_no_spectra_have_no_densities():
    assert densities({}).empty
    assert list(densities({}).columns) == ["level", "seed", "x", "density"]
