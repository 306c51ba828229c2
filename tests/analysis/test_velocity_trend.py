"""Kernel velocity over the ranking: means and bands over seeds, and the trend."""

import numpy as np
import pandas as pd
import pytest

from winnow.analysis.velocity import velocity_bands, velocity_trend

VELOCITIES = pd.DataFrame(
    {
        "seed": np.repeat([0, 1], 3),
        "epoch": 2,
        "next_epoch": 3,
        "group": [0, 1, 2] * 2,
        "velocity": [0.1, 0.4, 0.2, 0.3, 0.4, 0.6],
    }
)
NEIGHBOURS = pd.DataFrame(
    {"group": [0, 0, 1, 1, 2, 2], "score": [0.0, 1.0, 4.0, 5.0, 8.0, 9.0], "percentile": [5, 15, 45, 55, 85, 95]}
)


def test_bands_are_over_seeds_and_have_the_place_of_each_group() -> None:
    found = velocity_bands(VELOCITIES, NEIGHBOURS)
    assert found[["epoch", "next_epoch"]].drop_duplicates().to_numpy().tolist() == [[2, 3]]
    np.testing.assert_allclose(found["mean"], [0.2, 0.4, 0.4])
    np.testing.assert_allclose(found["low"], [0.1 + 0.16 * 0.2, 0.4, 0.2 + 0.16 * 0.4])
    assert found["count"].tolist() == [2, 2, 2]
    assert found["score"].tolist() == [0.5, 4.5, 8.5]
    assert found["percentile"].tolist() == [10, 50, 90]


def test_no_velocities_give_no_bands_and_no_trend() -> None:
    assert velocity_bands(VELOCITIES.head(0), NEIGHBOURS).empty
    assert velocity_trend(VELOCITIES.head(0)).empty


def test_the_trend_of_each_seed() -> None:
    found = velocity_trend(VELOCITIES.sample(frac=1, random_state=0))
    assert found["seed"].tolist() == [0, 1]
    np.testing.assert_allclose(found["rise"], [0.5, 1.0])
    np.testing.assert_allclose(found["top"], [0.5, 1.5])  # the first falls at the very top


def test_a_single_group_has_no_trend() -> None:
    found = velocity_trend(VELOCITIES[VELOCITIES["group"] == 0])
    assert found[["rise", "top"]].isna().all(axis=None)


def test_equal_velocities_have_no_rise() -> None:
    found = velocity_trend(VELOCITIES.assign(velocity=0.2))
    assert found["rise"].isna().all()
    assert found["top"].tolist() == pytest.approx([1, 1])
