import numpy as np
import pytest
from ticket_data import spectra

from winnow.report.spectra import densities, spectra_figure
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


def test_no_spectra_have_no_densities():
    assert densities({}).empty
    assert list(densities({}).columns) == ["level", "seed", "x", "density"]
