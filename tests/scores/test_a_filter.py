"""Networks that train on a few trusted labels find the wrong ones among the others (Fang et al. 2023, "Data filtering
networks"; here for labelled images)."""

from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from winnow.datasets.images import Labelled
from winnow.datasets.label_noise import randomise
from winnow.datasets.sources.digits import digits
from winnow.params.download import Download
from winnow.params.training import Network, Training
from winnow.scores.out_of_sample import out_of_sample
from winnow.scores.runs import EarlyRuns
from winnow.training.batches import to_device
from winnow.training.early import early_schedule, keep_epochs, keep_visits
from winnow.training.fit import Task, fit, fresh


def test_a_tenth_of_trusted_digits_finds_the_wrong_labels_of_the_rest(tmp_path: Path) -> None:
    source = digits(Download()).train
    images = Labelled(np.asarray(source.pixels[:1200]), source.labels[:1200])
    trusted = np.arange(1200) % 10 == 0
    labels = np.where(trusted, images.labels, randomise(images.labels, 0.2, 10, seed=0))
    facts = {"mean": [images.pixels.mean() / 255], "std": [images.pixels.std() / 255]}
    noisy = to_device(Labelled(images.pixels, labels), facts, torch.device("cpu"))
    training = Training(length="20 epochs", batch_size=20, learning_rate=0.05)
    parts = dict.fromkeys([0, 1], np.flatnonzero(trusted))
    begin = fresh(Network(name="lenet_300_100"), noisy, 10, parts)
    task = Task(noisy, training, early_schedule(training, int(trusted.sum()), [20]), begin)
    fit(task, [0, 1], tmp_path, lambda _: None, keep_visits(1200), keep_epochs(noisy, noisy, [20]))

    runs = EarlyRuns(tmp_path, labels, Path())
    loss = out_of_sample(["loss"], [runs], ~trusted)["loss"].values[:, 0].mean(axis=0)
    assert np.isnan(loss[trusted]).all()
    assert roc_auc_score((labels != images.labels)[~trusted], loss[~trusted]) > 0.9
