import numpy as np
import pytest

from winnow.analysis.spectra import densities, mean_densities, whole


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
        fraction = np.mean((every >= low) & (every <= high))
        assert np.trapezoid(density[within], x[within]) == pytest.approx(fraction, abs=5e-3)
    mean = np.trapezoid(density * x, x)
    assert mean == pytest.approx(every.mean(), rel=0.02)


def test_no_spectra_have_no_densities():
    assert densities({}).empty
    assert list(densities({}).columns) == ["level", "seed", "x", "density"]
    assert list(mean_densities({}).columns) == ["level", "x", "mean", "low", "high", "count"]


def test_replicates_of_a_level_are_averaged():
    nodes, weights = np.array([[0.1, 1.0, 3.0]]), np.array([[0.5, 0.3, 0.2]])
    spectra = {("dense", seed): ((1 + seed) * nodes, weights) for seed in range(3)}
    single, means = densities(spectra), mean_densities(spectra)
    by_hand = single["density"].to_numpy().reshape(3, -1)
    np.testing.assert_allclose(means["mean"], by_hand.mean(axis=0))
    np.testing.assert_allclose(means[["low", "high"]].T, np.percentile(by_hand, [16, 84], axis=0))
    assert set(means["count"]) == {3}
