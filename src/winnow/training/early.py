"""One seed's first epochs, and what they leave for the scores."""

from pathlib import Path

import numpy as np

from winnow.errors import UserError
from winnow.networks import initialise
from winnow.params.training import Network, Training
from winnow.storage import save_table, save_tensors
from winnow.training.batches import DeviceImages
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss
from winnow.training.loop import history, start, train
from winnow.training.schedule import schedule
from winnow.training.workers import Tick


def train_early(
    seed: int,
    images: DeviceImages,
    validation: DeviceImages,
    classes: int,
    network: Network,
    training: Training,
    epochs: list[int],
    folder: Path,
    tick: Tick,
) -> None:
    """Train one network to the last of ``epochs`` and keep in ``folder``, for the scores:

    - ``epoch<e>.safetensors`` for each scored epoch: log_probabilities, float32 [n, classes], of all training images
      without augmentation; and the network's state, under ``network.``
    - ``correct.safetensors``: correct, uint8 [epochs, n], as ``loop.Run.correct``
    - ``history.csv``: one row per epoch

    Interrupted, the same call goes on from the last finished epoch, and ends in the same bytes.

    Raises UserError if the training ends before the last of ``epochs``.
    """
    if folder.exists():
        return
    working = folder.with_name(f"{folder.name}.running")
    plan = schedule(training, len(images), section="early").until(epochs[-1])
    if plan.total <= (epochs[-1] - 1) * plan.epoch:
        raise UserError(
            f"early.epochs: epoch {epochs[-1]} is after the end of early.training.length, {training.length} "
            f"(an epoch has {plan.epoch} steps)"
        )
    run = start(initialise(network, classes, images.shape, seed), training, images.pixels.device)
    ticked = 0
    for _ in train(run, images, training, plan, seed, working / "state.safetensors"):
        if run.correct is not None:
            run.record("correct", run.correct)
            outputs = log_probabilities(run.network, validation)
            labels = validation.labels.cpu().numpy()
            run.record("validation", np.array([mean_loss(outputs, labels), accuracy(outputs, labels)]))
        if run.epoch in epochs:
            weights = {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
            outputs = log_probabilities(run.network, images)
            save_tensors(working / f"epoch{run.epoch}.safetensors", {"log_probabilities": outputs, **weights})
        tick(run.step - ticked)
        ticked = run.step
    correct = np.array(run.records.get("correct", []), np.uint8).reshape(-1, len(images))
    save_tensors(working / "correct.safetensors", {"correct": correct})
    save_table(working / "history.csv", history(run, seed))
    (working / "state.safetensors").unlink()
    working.rename(folder)
