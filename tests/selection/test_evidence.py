"""Features and outputs, as methods get them from the early runs and from a user's arrays."""

import numpy as np
import pytest

from winnow.errors import UserError
from winnow.scores.runs import EarlyRuns
from winnow.selection.evidence import Given
from winnow.selection.of_runs import OfRuns
from winnow.storage import save_tensors


def test_features_and_outputs_are_of_the_same_network(tmp_path):
    rng, kept = np.random.default_rng(0), {}
    for seed in (4, 3):
        for epoch in (0, 2):
            kept[seed, epoch] = {
                "features": rng.normal(size=(5, 3)).astype(np.float16),
                "log_probabilities": rng.normal(size=(5, 2)).astype(np.float32),
            }
            save_tensors(tmp_path / f"seed{seed}" / f"epoch{epoch}.safetensors", kept[seed, epoch])
    evidence = OfRuns(None, 2, EarlyRuns(tmp_path, np.zeros(5, int), tmp_path), seed_scores=None, folder=tmp_path)
    for epoch in (0, 2):
        np.testing.assert_array_equal(evidence.outputs(epoch), kept[3, epoch]["log_probabilities"])
        np.testing.assert_array_equal(evidence.features(epoch), kept[3, epoch]["features"].astype(np.float32))
        assert evidence.features(epoch).dtype == evidence.outputs(epoch).dtype == np.float32
    with pytest.raises(UserError, match=r"epoch1\.safetensors"):
        evidence.outputs(1)


def test_outputs_that_were_not_given_are_named():
    with pytest.raises(ValueError, match="no outputs were given"):
        Given(np.zeros(3, np.int64), 1).outputs(0)
    outputs = np.log(np.full((3, 2), 0.5, np.float32))
    assert Given(np.zeros(3, np.int64), 1, output_rows=outputs).outputs(7) is outputs
