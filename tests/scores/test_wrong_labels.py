"""Scores that are meant to find wrong labels find a tenth of them among digits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from winnow.datasets.images import Labelled
from winnow.datasets.label_noise import randomise
from winnow.datasets.sources.digits import digits
from winnow.params.download import Download
from winnow.params.training import Network, Training
from winnow.scores.compute import compute
from winnow.scores.runs import EarlyRuns
from winnow.scores.splits import of_splits
from winnow.training.batches import DeviceImages, to_device
from winnow.training.early import early_schedule, keep_epochs, keep_visits
from winnow.training.fit import Task, fit, fresh
from winnow.training.second_split import train_on_halves

IMAGES, EPOCHS = 600, 10
TRAINING = Training(length=f"{EPOCHS} epochs", batch_size=20, learning_rate=0.05)
NETWORK = Network(name="lenet_300_100")


@pytest.fixture(scope="module")
def pictures() -> Labelled:
    source = digits(Download()).train
    return Labelled(np.asarray(source.pixels[:IMAGES]), randomise(source.labels[:IMAGES], 0.1, 10, seed=0))


@pytest.fixture(scope="module")
def wrong(pictures: Labelled) -> np.ndarray:
    return pictures.labels != digits(Download()).train.labels[:IMAGES]


@pytest.fixture(scope="module")
def images(pictures: Labelled) -> DeviceImages:
    facts = {"mean": [pictures.pixels.mean() / 255], "std": [pictures.pixels.std() / 255]}
    return to_device(pictures, facts, torch.device("cpu"))


@pytest.fixture(scope="module")
def runs(pictures: Labelled, images: DeviceImages, tmp_path_factory: pytest.TempPathFactory) -> EarlyRuns:
    folder = tmp_path_factory.mktemp("early")
    task = Task(images, TRAINING, early_schedule(TRAINING, IMAGES, [EPOCHS]), fresh(NETWORK, images, 10))
    fit(task, [0], folder, lambda _: None, keep_visits(IMAGES), keep_epochs(images, images, [EPOCHS], [EPOCHS]))
    return EarlyRuns(folder, pictures.labels, Path())


@pytest.mark.parametrize("name", ["aum", "label_neighbours", "loss", "confident_learning"])
def test_of_one_training(name: str, runs: EarlyRuns, wrong: np.ndarray) -> None:
    assert roc_auc_score(wrong, compute(name, runs, [EPOCHS]).values[0, -1]) > 0.8


def test_second_split_forgetting(
    images: DeviceImages, wrong: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINNOW_WORKERS", "1")
    folder = train_on_halves(images, NETWORK, TRAINING, 10, [0], tmp_path, "test")
    assert roc_auc_score(wrong, of_splits("second_split_forgetting", folder, IMAGES).values[0, 0]) > 0.8
