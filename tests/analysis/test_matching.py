import math

import numpy as np
import pytest
from scipy.stats import ttest_ind

from winnow.analysis.matching import epsilon, is_matching


def test_by_hand():
    # s = 0.01; t at 97.5% with 2 degrees of freedom is 4.30265
    assert epsilon([0.08, 0.09, 0.10]) == pytest.approx(4.30265 * 0.01 * math.sqrt(2 / 3), rel=1e-5)
    assert epsilon([0.125, 0.125, 0.125]) == 0


def test_the_bar_is_the_end_of_students_interval():
    dense = np.array([0.08, 0.11, 0.09, 0.1])
    # two samples with the same deviations, so that the pooled s is that of the dense ones, but at twice the freedom
    result = ttest_ind(dense + epsilon(dense), dense)
    assert result.statistic == pytest.approx(3.18245, rel=1e-5)  # t at 97.5% with 3 degrees of freedom


@pytest.mark.parametrize("replicates", [2, 3, 5])
def test_dense_networks_are_called_matching_975_times_in_1000(replicates):
    rng = np.random.default_rng(replicates)
    trials = 3000
    pairs = rng.normal(0.08, 0.003, (trials, 2, replicates))
    found = np.mean([is_matching(sparse, dense) for sparse, dense in pairs])
    assert abs(found - 0.975) < 4 * math.sqrt(0.975 * 0.025 / trials)


def test_the_edge_is_matching_and_what_is_beyond_is_not():
    dense = [0.25, 0.5, 0.75]
    for above, matching in ((0.0, True), (-0.2, True), (0.99, True), (1.01, False)):
        assert is_matching(np.array(dense) + above * epsilon(dense), dense) is matching
    assert is_matching([0.5, 0.5], [0.5, 0.5])
    assert not is_matching([0.5, 0.50001], [0.5, 0.5])


def test_a_network_that_diverged_is_not_matching():
    assert not is_matching([0.1, float("nan"), 0.1], [0.1, 0.2, 0.3])


def test_one_network_has_no_spread():
    with pytest.raises(ValueError, match="dense_errors: 1 dense network has no spread"):
        epsilon([0.1])
    with pytest.raises(ValueError, match="same seeds"):
        is_matching([0.1, 0.2], [0.1, 0.2, 0.3])
