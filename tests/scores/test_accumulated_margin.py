import numpy as np
import pytest
from scipy.special import log_softmax

from winnow.scores.of_probabilities.accumulated_margin import accumulated_margin
from winnow.scores.runs import EarlyRuns
from winnow.storage import save_tensors

NAN = np.nan


def test_by_hand():
    given = np.array([[0.5, NAN, 1], [0.25, 0.5, NAN]])
    other = np.array([[0.25, NAN, 0], [0.75, 0.5, NAN]])
    np.testing.assert_allclose(accumulated_margin(given, other), [[-0.25, 0, -1], [0.125, 0, -1]])


@pytest.mark.parametrize("scale", [1, 10, 300])
def test_the_records_give_the_probabilities(tmp_path, scale):
    """From the loss and the margin of the logits, as training keeps them, against the softmax itself."""
    logits = np.random.default_rng(0).normal(size=(4, 50, 6)) * scale
    log_probabilities = log_softmax(logits, axis=2)
    losses, margins = -log_probabilities[..., 0], logits[..., 0] - logits[..., 1:].max(axis=2)
    for name, values in {"losses": losses, "margins": margins}.items():
        values[1, 3] = NAN
        save_tensors(tmp_path / "seed5" / f"{name}.safetensors", {name: values.astype(np.float16)})
    found = EarlyRuns(tmp_path, np.zeros(50, int), tmp_path).probabilities(5)
    expected = np.exp(log_probabilities[..., 0]), np.exp(log_probabilities[..., 1:]).max(axis=2)
    wrong = np.expm1(2.0**-11 * (losses + np.abs(margins)))  # at most, for its size: float16 has 11 binary digits
    visited = ~np.isnan(losses)
    for mine, right in zip(found, expected, strict=True):
        assert (np.isnan(mine) == ~visited).all()
        assert (np.abs(mine - right) <= wrong * right + 1e-7)[visited].all()
        assert (mine <= 1)[visited].all()
