import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from winnow.scores.aggregate import mean_and_stderr, mean_over_seeds, score_table
from winnow.scores.seed_scores import NO_EPOCH, SeedScores


def test_by_hand():
    # 1, 2, 6: mean 3, deviation sqrt((4 + 1 + 9) / 2) = sqrt(7), standard error sqrt(7 / 3)
    mean, stderr = mean_and_stderr(np.array([[1.0], [2.0], [6.0]], np.float32))
    assert mean == [3]
    assert stderr == pytest.approx([np.sqrt(7 / 3)])


def test_one_seed_has_no_standard_error():
    mean, stderr = mean_and_stderr(np.array([[0.5, 2.0]], np.float32))
    assert mean.tolist() == [0.5, 2]
    assert np.isnan(stderr).all()


def test_infinities_are_kept_and_have_no_standard_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean, stderr = mean_and_stderr(np.array([[1, np.inf, np.inf], [3, 2, np.inf]], np.float32))
    assert mean.tolist() == [2, np.inf, np.inf]
    assert stderr[0] == 1
    assert np.isnan(stderr[1:]).all()


def test_seeds_that_have_not_trained_on_an_image_are_left_out():
    """Of 1, -, 5: mean 3, deviation sqrt(8), standard error 2; of 7 alone no standard error; of nothing no mean."""
    nan = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean, stderr = mean_and_stderr(np.array([[1, nan, nan], [nan, 7, nan], [5, nan, nan]], np.float32))
    np.testing.assert_array_equal(mean, [3, 7, nan])
    np.testing.assert_allclose(stderr, [2, nan, nan])


def test_a_seed_that_diverged_is_not_left_out():
    mean, stderr = mean_and_stderr(np.array([[[1, 2], [1, 2]], [[np.nan] * 2, [3, np.nan]]], np.float32))
    np.testing.assert_array_equal(mean, [[np.nan, np.nan], [2, 2]])
    assert np.isnan(stderr[0]).all()


@given(arrays(np.float32, st.tuples(st.integers(2, 5), st.integers(1, 4)), elements=st.floats(-100, 100, width=32)))
def test_without_gaps_they_are_those_of_numpy(values):
    mean, stderr = mean_and_stderr(values)
    np.testing.assert_array_equal(mean, values.mean(axis=0, dtype=np.float64))
    np.testing.assert_array_equal(stderr, values.astype(np.float64).std(axis=0, ddof=1) / np.sqrt(len(values)))


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 4)),
        elements=st.sampled_from([0.1, 2.5, np.inf, np.nan]),
    )
)
def test_the_mean_alone_is_the_same(values):
    np.testing.assert_array_equal(mean_over_seeds(values), mean_and_stderr(values)[0])


def test_sums_are_exact_enough():
    values = np.full((1000, 1), 0.1, np.float32)
    mean, stderr = mean_and_stderr(values)
    assert mean == pytest.approx([np.float32(0.1)], rel=1e-12)
    assert stderr == pytest.approx([0], abs=1e-12)


def test_the_table_has_two_columns_for_every_score_and_epoch():
    images = pd.DataFrame({"id": ["b", "a"], "label": [1, 0]}, index=[5, 3])
    el2n = np.array([[[0.1, 0.2], [0.3, 0.4]], [[0.3, 0.2], [0.5, 0.4]]], np.float32)
    norm = np.array([[[7, 8]], [[7, 8]]], np.float32)
    table = score_table(
        images, {"el2n": SeedScores(el2n, [0, 1], [0, 4]), "input_norm": SeedScores(norm, [0, 1], [NO_EPOCH])}
    )
    assert list(table) == [
        "id",
        "label",
        "el2n_epoch0_mean",
        "el2n_epoch0_stderr",
        "el2n_epoch4_mean",
        "el2n_epoch4_stderr",
        "input_norm_mean",
        "input_norm_stderr",
    ]
    assert table["id"].tolist() == ["b", "a"]
    np.testing.assert_allclose(table["el2n_epoch0_mean"], [0.2, 0.2], rtol=1e-6)
    np.testing.assert_allclose(
        table["el2n_epoch4_stderr"], [0.1, 0], rtol=1e-5
    )  # deviation 0.2 / sqrt(2), over sqrt(2)
    assert table["input_norm_stderr"].tolist() == [0, 0]
    assert (table.dtypes.iloc[2:] == np.float32).all()
