"""Training with a teacher: the loss against numpy, and its limits against plain training."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax, rel_entr, softmax

from tests.training.small import CLASSES, NETWORK, TRAINING, contents, initialised, on_device, pictures
from winnow.training import loop
from winnow.training.device import chosen_device
from winnow.training.distillation import divergences, teaching
from winnow.training.fit import Task, fit, fresh
from winnow.training.loop import Beginning, start, take_step
from winnow.training.retrain import keep_outputs
from winnow.training.schedule import make_schedule

RNG = np.random.default_rng(0)
TEACHER = log_softmax(RNG.normal(0, 2, (43, CLASSES)), axis=1).astype(np.float32)
CPU, DEVICE = torch.device("cpu"), chosen_device()


def trained(folder, images, tick=lambda steps: None):
    task = Task(images, TRAINING, make_schedule(TRAINING, 43), fresh(NETWORK, images, CLASSES))
    fit(task, [3, 4], folder, tick, keep_outputs({"test": on_device(pictures(7, seed=1))}))
    return contents(folder)


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0.5, 10), st.booleans())
def test_the_loss_by_hand(seed, weight, temperature, counted):
    rng = np.random.default_rng(seed)
    logits, teacher = rng.normal(0, 2, (6, 4)), log_softmax(rng.normal(0, 2, (6, 4)), axis=1)
    labels, weights = rng.integers(4, size=6), rng.random(6) if counted else np.ones(6)
    mine, theirs = softmax(logits / temperature, axis=1), softmax(teacher / temperature, axis=1)
    expected = 0.0
    for i in range(6):
        by_label = -np.log(softmax(logits[i])[labels[i]])
        by_teacher = sum(rel_entr(theirs[i, k], mine[i, k]) for k in range(4))
        expected += weights[i] * ((1 - weight) * by_label + weight * temperature**2 * by_teacher) / 6
    taught = teaching(teacher, weight, temperature, CPU)
    given_weights = torch.from_numpy(weights) if counted else None
    by_labels = (F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels), reduction="none")
                 * torch.from_numpy(weights)).mean()  # fmt: skip
    found = taught.mixed(by_labels, torch.from_numpy(logits), taught.probabilities, given_weights)
    assert float(found) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_teacher_that_says_the_same_asks_for_nothing():
    logits = torch.from_numpy(RNG.normal(size=(5, 3)))
    same = teaching(log_softmax(logits.numpy(), axis=1), 0.5, 3.0, CPU).probabilities
    np.testing.assert_allclose(divergences(logits, same, 3.0), 0, atol=1e-6)


def test_without_weight_it_is_plain_training(tmp_path):
    """To the byte."""
    images = on_device(pictures())
    plain = trained(tmp_path / "plain", images)
    assert trained(tmp_path / "taught", images.taught(teaching(TEACHER, 0.0, 4.0, DEVICE))) == plain
    assert trained(tmp_path / "other", images.taught(teaching(TEACHER, 0.5, 4.0, DEVICE))) != plain


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_a_teacher_that_gives_the_labels_is_plain_training(tmp_path, weight):
    images = on_device(pictures())
    sure = np.where(np.eye(CLASSES)[pictures().labels] > 0, 0, -np.inf).astype(np.float32)
    losses = []
    for number, given_images in enumerate((images, images.taught(teaching(sure, weight, 1.0, DEVICE)))):
        run = start(Beginning(initialised(3), 3), tmp_path / str(number))
        (batch, labels), rows = images.batches(20)[0], slice(20)
        taught = [] if given_images.teaching is None else [given_images.teaching.probabilities[rows]]
        found = [take_step(run, TRAINING, given_images.teaching, batch, labels, 0.1, *taught)[0] for _ in range(5)]
        losses.append(torch.stack(found).cpu().numpy())
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_each_image_has_its_own_row_of_the_teacher(tmp_path):
    """An image that is moved, with its row, is taught the same: one batch holds all images, in whatever order."""
    images, order = pictures(40), RNG.permutation(40)
    training = TRAINING.model_copy(update={"batch_size": 40, "augment": TRAINING.augment.model_copy(
        update={"crop": 0, "flip": False})})  # fmt: skip
    losses = []
    for number, rows in enumerate((np.arange(40), order)):
        here = on_device(images.take(rows)).taught(teaching(TEACHER[rows], 0.8, 2.0, DEVICE))
        run = start(Beginning(initialised(3), 3), tmp_path / str(number))
        schedule = make_schedule(training, 40)
        for _ in range(3):
            loop.train_epoch([run], here, training, schedule)
        losses.append(np.array(run.records["training"])[:, 1])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_every_seed_may_have_a_teacher_of_its_own(tmp_path):
    """As if each were trained alone, to the byte."""
    images = on_device(pictures())
    teachers = {seed: teaching(TEACHER[::step].copy(), 0.9, 4.0, DEVICE) for seed, step in ((3, 1), (4, -1))}
    task = Task(images, TRAINING, make_schedule(TRAINING, 43), fresh(NETWORK, images, CLASSES), taught=teachers.get)
    end = keep_outputs({"test": on_device(pictures(7, seed=1))})
    fit(task, [3, 4], tmp_path / "both", lambda steps: None, end)
    for seed, teacher in teachers.items():
        alone = replace(task, images=images.taught(teacher), taught=None)
        fit(alone, [seed], tmp_path / "alone", lambda steps: None, end)
    assert contents(tmp_path / "both") == contents(tmp_path / "alone")


@pytest.mark.parametrize("at", [1, 3, 5])
def test_interrupted(tmp_path, monkeypatch, at):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)
    images, calls = on_device(pictures()).taught(teaching(TEACHER, 0.9, 4.0, DEVICE)), []

    def tick(steps: int) -> None:
        calls.append(steps)
        if len(calls) == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "cut", images, tick)
    assert trained(tmp_path / "cut", images) == trained(tmp_path / "whole", images)
