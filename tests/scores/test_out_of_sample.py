"""Scores by networks that have not trained on the image."""

from pathlib import Path

import numpy as np
import pytest

from winnow.scores.out_of_sample import out_of_sample
from winnow.scores.runs import EarlyRuns
from winnow.storage import save_tensors

LABELS = np.array([0, 1, 1, 0])
EPOCHS = [0, 2]


def cohort(folder: Path, out: dict[int, list[int]]) -> EarlyRuns:
    """Runs of seeds that have not trained on these rows; each gives every image the label 0 with a probability that
    tells the seed and the epoch."""
    for seed, rows in out.items():
        seen = np.ones(4, np.uint8)
        seen[rows] = 0
        save_tensors(folder / f"seed{seed}" / "seen.safetensors", {"seen": seen})
        for epoch in EPOCHS:
            outputs = np.log(np.tile([probability(seed, epoch), 1 - probability(seed, epoch)], (4, 1)))
            file = folder / f"seed{seed}" / f"epoch{epoch}.safetensors"
            save_tensors(file, {"log_probabilities": outputs.astype(np.float32)})
    return EarlyRuns(folder, LABELS, Path())


def probability(seed: int, epoch: int) -> float:
    return (seed + 1) / 20 + epoch / 20


def expected(seeds: list[int], epoch: int) -> np.ndarray:
    """The loss of every image by the seed that has not trained on it."""
    p = np.array([probability(seed, epoch) for seed in seeds])
    return -np.log(np.where(LABELS == 0, p, 1 - p))


def test_every_image_is_scored_by_the_networks_that_left_it_out(tmp_path):
    runs = [cohort(tmp_path / "a", {1: [0, 1], 2: [2, 3], 3: [1, 3], 4: [0, 2]}), cohort(tmp_path / "b", {7: []})]
    found = out_of_sample(["loss", "forgetting", "random"], runs)
    assert set(found) == {"loss"}
    assert (found["loss"].seeds, found["loss"].epochs) == ([0, 1], EPOCHS)
    for i, epoch in enumerate(EPOCHS):
        for number, seeds in enumerate(([1, 1, 2, 2], [4, 3, 4, 3])):
            np.testing.assert_allclose(found["loss"].values[number, i], expected(seeds, epoch), rtol=1e-5)


def test_cohorts_go_together(tmp_path):
    runs = [cohort(tmp_path / "a", {1: [0, 1]}), cohort(tmp_path / "b", {2: [2], 3: [2, 3]})]
    found = out_of_sample(["loss"], runs)["loss"]
    assert found.seeds == [0]  # image 2 has a second network, the others have not
    np.testing.assert_allclose(found.values[0, 0], expected([1, 1, 2, 3], 0), rtol=1e-5)


@pytest.mark.parametrize("out", [{1: [], 2: []}, {1: [0, 1], 2: [2]}])
def test_none_if_some_image_was_left_out_by_no_network(tmp_path, out):
    assert out_of_sample(["loss"], [cohort(tmp_path, out)]) == {}


def test_confident_learning_takes_the_folds_together(tmp_path):
    """Its thresholds are means over all images of a class, whichever network has left them out."""
    found = out_of_sample(["confident_learning"], [cohort(tmp_path, {5: [0, 1], 15: [2, 3]})])["confident_learning"]
    # p_0 = 0.3, 0.3, 0.8, 0.8: thresholds 0.55 and (0.7 + 0.2) / 2 = 0.45; confident 1, 1, 0, 0; labels 0 1 1 0
    np.testing.assert_allclose(found.values[0, 0], [1 + 0.7, 0.3, 1 + 0.8, 0.2], rtol=1e-5)


def test_only_what_is_not_trusted_is_judged(tmp_path):
    runs = [cohort(tmp_path / "a", {1: []}), cohort(tmp_path / "t", {2: [2, 3], 3: [2, 3]})]
    assert out_of_sample(["loss"], runs) == {}
    found = out_of_sample(["loss"], runs, np.array([False, False, True, True]))["loss"]
    assert found.seeds == [0, 1]
    for number, seed in enumerate((2, 3)):
        np.testing.assert_allclose(found.values[number, 0, 2:], expected([seed] * 4, 0)[2:], rtol=1e-5)
    assert np.isnan(found.values[:, :, :2]).all()
