"""The first epochs of one seed, or of several together, and what they leave for the scores."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from winnow.errors import UserError
from winnow.networks import initialise
from winnow.params.training import Network, Training
from winnow.storage import save_table, save_tensors
from winnow.training.batches import DeviceImages
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss
from winnow.training.loop import finish, history, start, train
from winnow.training.schedule import schedule
from winnow.training.workers import Tick


def train_early(
    seeds: Sequence[int],
    images: DeviceImages,
    validation: DeviceImages,
    classes: int,
    network: Network,
    training: Training,
    epochs: list[int],
    folder: Path,
    tick: Tick,
) -> None:
    """Train a network for every seed to the last of ``epochs`` and keep in ``folder/seed<s>``, for the scores:

    - ``epoch<e>.safetensors`` for each scored epoch: log_probabilities, float32 [n, classes], of all training images
      without augmentation; and the network's state, under ``network.``
    - ``correct.safetensors``: correct, uint8 [epochs, n], as ``loop.Run.correct``
    - ``history.csv``: one row per epoch

    Interrupted, the same call goes on from the last finished epoch, and ends in the same bytes.

    Raises UserError if the training ends before the last of ``epochs``.
    """
    plan = schedule(training, len(images), section="early").until(epochs[-1])
    if plan.total <= (epochs[-1] - 1) * plan.epoch:
        raise UserError(
            f"early.epochs: epoch {epochs[-1]} is after the end of early.training.length, {training.length} "
            f"(an epoch has {plan.epoch} steps)"
        )
    folders = {seed: folder / f"seed{seed}" for seed in seeds}
    runs = [
        start(seed, initialise(network, classes, images.shape, seed), training, images.device, path)
        for seed, path in folders.items()
        if not path.exists()
    ]
    for run in train(runs, images, training, plan, tick):
        if run.correct is not None:
            run.record("correct", run.correct)
            outputs = log_probabilities(run.network, validation)
            labels = validation.labels.cpu().numpy()
            run.record("validation", np.array([mean_loss(outputs, labels), accuracy(outputs, labels)]))
        if run.epoch in epochs:
            weights = {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
            outputs = log_probabilities(run.network, images)
            save_tensors(run.working / f"epoch{run.epoch}.safetensors", {"log_probabilities": outputs, **weights})
    for run in runs:
        correct = np.array(run.records.get("correct", []), np.uint8).reshape(-1, len(images))
        save_tensors(run.working / "correct.safetensors", {"correct": correct})
        save_table(run.working / "history.csv", history(run))
        finish(run)
