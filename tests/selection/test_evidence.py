"""Features and outputs, as methods get them from the early runs and from a user's arrays."""

import numpy as np
import pandas as pd
import pytest

from winnow.errors import UserError
from winnow.scores.runs import EarlyRuns
from winnow.selection.evidence import Given
from winnow.selection.of_runs import OfRuns
from winnow.storage import save_table, save_tensors


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


def test_validation_images_are_seen_by_the_same_network_and_recalls_are_means_over_all(tmp_path):
    labels = np.array([0, 1, 1, 3])
    right = {3: [True, True, False, False], 4: [False, True, False, True]}
    for seed, own in right.items():
        guessed = np.where(own, labels, 2)
        outputs = np.log(np.where(np.arange(4) == guessed[:, None], 0.7, 0.1)).astype(np.float32)
        features = np.full((4, 2), seed, np.float16)
        tensors = {"validation.log_probabilities": outputs, "validation.features": features}
        save_tensors(tmp_path / f"seed{seed}" / "epoch2.safetensors", tensors)
    save_table(tmp_path / "validation.parquet", pd.DataFrame({"label": labels}))
    runs = EarlyRuns(tmp_path, np.zeros(5, int), tmp_path)
    evidence = OfRuns(None, 4, runs, seed_scores=None, folder=tmp_path)
    held = evidence.held_out(2)
    assert held.labels.tolist() == labels.tolist()
    assert held.outputs.argmax(axis=1).tolist() == [0, 1, 2, 2]
    assert held.features.tolist() == [[3, 3]] * 4
    np.testing.assert_allclose(evidence.recalls(2), [0.5, 0.5, np.nan, 0.5])
    save_table(tmp_path / "validation.parquet", pd.DataFrame({"label": labels[:0]}))
    with pytest.raises(ValueError, match=r"set download\.validation above 0"):
        evidence.recalls(2)
