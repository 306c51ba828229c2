import numpy as np

from winnow.scores.of_losses.confidence import confidence


def test_confidence_by_hand():
    nan = np.nan
    losses = -np.log(np.array([[0.5, nan, 1], [0.25, 0.5, nan]]))
    np.testing.assert_allclose(confidence(losses), [[-0.5, 0, -1], [-0.375, -0.5, -1]])
