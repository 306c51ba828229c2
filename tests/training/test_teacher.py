"""What several networks say together, by hand and in double precision."""

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from winnow.training.teacher import mean_outputs


def test_of_two_networks_by_hand() -> None:
    """Probabilities 1/2, 1/2 and 1, 0: their mean is 3/4, 1/4, whose logarithm is not the mean of the logarithms."""
    sure = np.array([[0.0, -np.inf]], np.float32)
    unsure = np.log([[0.5, 0.5]]).astype(np.float32)
    np.testing.assert_allclose(mean_outputs(iter([sure, unsure])), np.log([[0.75, 0.25]]), rtol=1e-6)
    np.testing.assert_array_equal(mean_outputs([sure]), sure)


@pytest.mark.parametrize("networks", [1, 2, 5])
def test_it_is_a_mixture(networks: int) -> None:
    outputs = log_softmax(np.random.default_rng(networks).normal(0, 3, (networks, 20, 7)), axis=2)
    found = mean_outputs(outputs.astype(np.float32))
    np.testing.assert_allclose(found, logsumexp(outputs, axis=0, b=1 / networks), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.exp(found).sum(1), 1, rtol=1e-6)
    assert found.dtype == np.float32
