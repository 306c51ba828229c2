"""What the first epochs of a training keep for the scores."""

import math
from collections.abc import Collection, Sequence

import numpy as np

from winnow.params.training import Training
from winnow.storage import save_table, save_tensors
from winnow.streams import numpy_stream
from winnow.training.batches import DeviceImages
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss, with_features
from winnow.training.fit import Hook
from winnow.training.loop import Run, history
from winnow.training.schedule import Schedule, make_schedule


def early_schedule(training: Training, images: int, epochs: Sequence[int]) -> Schedule:
    """The schedule of a training on this number of images, ended after the last of ``epochs``.

    Raises ValueError if the training ends earlier, or if there are fewer images than a batch takes.
    """
    schedule = make_schedule(training, images).until(epochs[-1])
    if schedule.epochs < epochs[-1]:
        raise ValueError(
            f"length: {training.length} ends before epoch {epochs[-1]}, the last of those to keep "
            f"(an epoch has {schedule.epoch} steps)"
        )
    return schedule


def parts_of(seeds: Sequence[int], folds: int, images: int) -> dict[int, np.ndarray]:
    """The rows of the images that each seed trains on: all but one fold, int64 [m], rising, m being the same for all.

    For every ``folds`` seeds the images are split anew at random, and each leaves out another fold. So every image is
    left out by one seed in ``folds``; where they do not split evenly, a few by two.
    """
    found = {}
    for place, seed in enumerate(seeds):
        fold = place % folds
        order = numpy_stream(seeds[place - fold], "folds").permutation(images)
        first = fold * images // folds
        found[seed] = np.sort(np.delete(order, np.s_[first : first + math.ceil(images / folds)]))
    return found


def shares_of(seeds: Sequence[int], share: float, images: int) -> dict[int, np.ndarray]:
    """The rows of the images that each seed trains on: a random share of all, without replacement, int64 [m], rising, m
    being the same for all. A seed's rows do not depend on which other seeds there are.

    Raises ValueError if the share is no image, or all of them.
    """
    size = round(share * images)
    if not 0 < size < images:
        raise ValueError(f"share: {share} is {size} of the {images} images; it must be at least one, and not all")
    return {seed: np.sort(numpy_stream(seed, "share").permutation(images)[:size]) for seed in seeds}


def keep_epochs(
    images: DeviceImages, validation: DeviceImages, epochs: Collection[int], features: Collection[int] = ()
) -> Hook:
    """After an epoch: record how well the network does, and keep ``epoch<e>.safetensors`` if it is one of ``epochs``
    (0 is before training).

    The file holds log_probabilities, float32 [n, classes], of all training images without augmentation, and the
    network's state, under ``network.``. After the epochs in ``features`` it also holds features, float16 [n, d], the
    inputs of the last layer. The same of the validation images, if there are any, is there under ``validation.``.
    """

    def outputs_of(run: Run, every: DeviceImages) -> dict[str, np.ndarray]:
        if run.epoch in features:
            return dict(zip(("log_probabilities", "features"), with_features(run.network, every), strict=True))
        return {"log_probabilities": log_probabilities(run.network, every)}

    def on_epoch(run: Run) -> None:
        on_validation = outputs_of(run, validation)
        if run.correct is not None and run.margins is not None and run.losses is not None:
            run.record("correct", run.correct)
            run.record("margins", run.margins)
            run.record("losses", run.losses.astype(np.float16))
            outputs = on_validation["log_probabilities"]
            labels = validation.labels.cpu().numpy()
            run.record("validation", np.array([mean_loss(outputs, labels), accuracy(outputs, labels)]))
        if run.epoch in epochs:
            tensors = {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
            tensors |= outputs_of(run, images)
            if len(validation):
                tensors |= {f"validation.{name}": values for name, values in on_validation.items()}
            save_tensors(run.working / f"epoch{run.epoch}.safetensors", tensors)

    return on_epoch


def keep_visits(images: int) -> Hook:
    """At the end: keep ``correct.safetensors`` (correct, uint8 [epochs, images], as in ``loop.Run.correct``),
    ``margins.safetensors`` (margins, float16 [epochs, images], as in ``loop.Run.margins``), ``losses.safetensors``
    (losses, likewise), ``seen.safetensors`` (seen, uint8 [images], 1 for those that the run trained on), and
    ``history.csv`` (one row per epoch)."""

    def on_end(run: Run) -> None:
        for name, kind in (("correct", np.uint8), ("margins", np.float16), ("losses", np.float16)):
            save_tensors(
                run.working / f"{name}.safetensors",
                {name: np.array(run.records.get(name, []), kind).reshape(-1, images)},
            )
        seen = np.zeros(images, np.uint8)
        seen[slice(None) if run.rows is None else run.rows.numpy()] = 1
        save_tensors(run.working / "seen.safetensors", {"seen": seen})
        save_table(run.working / "history.csv", history(run))

    return on_end
