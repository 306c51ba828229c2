"""The loop against one written out plainly: single images, torch's own SGD without fusion, the schedule by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.training.small import CLASSES, FACTS, NETWORK, TRAINING, initialised, on_device, pictures, state_of
from tests.training.test_batches import crop_and_flip_one
from winnow.networks import initialise
from winnow.params.training import Network, Training
from winnow.streams import torch_stream
from winnow.training import loop
from winnow.training.batches import DeviceImages
from winnow.training.device import chosen_device
from winnow.training.loop import NOT_VISITED, Beginning, Run, history, start, train
from winnow.training.schedule import Schedule, make_schedule

SEED = 3


def begun(images: DeviceImages, folder: Path, network: Network = NETWORK) -> Run:
    return start(Beginning(initialised(SEED, network), SEED), folder / "run")


def finished(
    tmp_path, training: Training = TRAINING, network: Network = NETWORK, schedule: Schedule | None = None
) -> Run:
    images = on_device(pictures())
    run = begun(images, tmp_path, network)
    for _ in train([run], images, training, schedule or make_schedule(training, len(images)), lambda steps: None):
        if run.correct is not None and run.margins is not None and run.losses is not None:
            run.record("correct", run.correct)
            run.record("losses", run.losses)
            run.record("margins", run.margins)
        run.network.eval()  # the mode in which a caller leaves the network has no part in the training
    return run


EQUAL = np.ones(43, np.float32)


def plain_training(
    training: Training, network: Network, total: int, rate, weights: np.ndarray = EQUAL
) -> tuple[torch.nn.Module, list, list, list]:
    """Weights, and (learning rate, loss, accuracy), correctness and margins of every epoch."""
    images = pictures()
    mean, std = (np.array(FACTS[name]).reshape(1, 2, 1, 1) for name in ("mean", "std"))
    module = initialise(network, CLASSES, (2, 6, 6), SEED)
    optimizer = torch.optim.SGD(
        module.parameters(),
        lr=1.0,
        momentum=training.momentum,
        nesterov=training.nesterov,
        weight_decay=training.weight_decay,
        fused=False,
        foreach=False,
    )
    crop, size = training.augment.crop, training.batch_size
    step, epoch, table, correct, margins, of_images = 0, 0, [], [], [], []
    while step < total:
        order = torch.randperm(43, generator=torch_stream(SEED, "data_order", epoch)).numpy()
        count = 43 // size * size
        chance = torch_stream(SEED, "augmentation", epoch)
        offsets = (
            torch.randint(2 * crop + 1, (count, 2), generator=chance).numpy() if crop else np.zeros((count, 2), int)
        )
        flips = torch.rand(count, generator=chance).numpy() < 0.5 if training.augment.flip else np.zeros(count, bool)
        losses, right, margin, own = [], np.full(43, NOT_VISITED), np.full(43, np.nan), np.full(43, np.nan)
        for first in range(0, count, size):
            if step == total:
                break
            rows = order[first : first + size]
            batch = np.stack(
                [
                    crop_and_flip_one(images.pixels[row], crop, *offsets[first + i], flips[first + i])
                    for i, row in enumerate(rows)
                ]
            )
            inputs = torch.from_numpy((batch / 255 - mean) / std).float()
            with torch.autocast("cpu", torch.bfloat16, enabled=training.precision == "bfloat16"):
                logits = module(inputs).float()
            every = F.cross_entropy(logits, torch.from_numpy(images.labels[rows]), reduction="none")
            loss = (every * torch.from_numpy(weights[rows])).mean()
            for group in optimizer.param_groups:
                group["lr"] = rate(step)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            own[rows] = every.detach().numpy()
            right[rows] = logits.argmax(1).numpy() == images.labels[rows]
            for row, z in zip(rows, logits.tolist(), strict=True):
                margin[row] = z.pop(images.labels[row]) - max(z)
            step += 1
        table.append((rate(step - 1), np.mean(losses), np.mean(right[right != NOT_VISITED])))
        correct.append(right)
        margins.append(margin)
        of_images.append(own)
        epoch += 1
    return module, table, correct, margins, of_images


def rate_of_the_small_training(step: int) -> float:
    """0.1, warmed up over 3 steps, times 0.2 from step 10 (2 epochs of 5) and again from step 18 on."""
    return 0.1 * (0.2 if step >= 10 else 1) * (0.2 if step >= 18 else 1) * min(1, (step + 1) / 3)


@pytest.mark.parametrize("name", ["convnet", "lenet_300_100"])
def test_against_a_plain_loop(tmp_path, name):
    network = NETWORK if name == "convnet" else Network(name=name)
    run = finished(tmp_path, network=network)
    module, table, correct, margins, of_images = plain_training(TRAINING, network, 25, rate_of_the_small_training)
    assert (run.epoch, run.step) == (5, 25)
    for (key, found), expected in zip(state_of(run.network).items(), state_of(module).values(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4, err_msg=key)
    np.testing.assert_allclose(run.records["training"], table, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(run.records["correct"], correct)
    np.testing.assert_allclose(run.records["margins"], margins, rtol=2e-3, atol=2e-3)  # as float16
    np.testing.assert_allclose(run.records["losses"], of_images, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16"])
def test_networks_compute_in_the_precision_of_their_training(tmp_path, precision):
    low = precision == "bfloat16" or (precision == "auto" and chosen_device().type == "cuda")
    dtype = torch.bfloat16 if low else torch.float32
    training = TRAINING.model_copy(update={"length": "1 epochs", "decay_at": [], "precision": precision})
    images, seen = on_device(pictures()), set()
    run = begun(images, tmp_path)
    run.network.register_forward_hook(lambda network, given, found: seen.add(found.dtype))
    for _ in train([run], images, training, make_schedule(training, len(images)), lambda steps: None):
        pass
    plain = training.model_copy(update={"precision": "bfloat16" if low else "float32"})
    module, table, *_ = plain_training(plain, NETWORK, 5, rate_of_the_small_training)
    assert seen == {dtype}
    tolerance = 1e-4 if dtype == torch.float32 else 0.05  # bfloat16 has eight bits, and sums are in another order
    assert {parameter.dtype for parameter in run.network.parameters()} == {torch.float32}
    found, expected = (
        torch.cat([parameter.flatten().cpu() for parameter in network.parameters()])
        for network in (run.network, module)
    )
    assert (found - expected).norm() <= tolerance * expected.norm()
    np.testing.assert_allclose(run.records["training"], table, rtol=tolerance)


def test_images_count_by_their_weights(tmp_path):
    weights = np.random.default_rng(0).random(43, np.float32) * 2
    images = on_device(pictures()).weighted(weights)
    run = begun(images, tmp_path)
    for _ in train([run], images, TRAINING, make_schedule(TRAINING, 43), lambda steps: None):
        pass
    module, table, *_ = plain_training(TRAINING, NETWORK, 25, rate_of_the_small_training, weights)
    for (key, found), expected in zip(state_of(run.network).items(), state_of(module).values(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4, err_msg=key)
    np.testing.assert_allclose(run.records["training"], table, rtol=1e-4, atol=1e-6)


def test_without_momentum_or_augmentation(tmp_path):
    training = Training(
        length="2 epochs",
        batch_size=8,
        learning_rate=0.05,
        momentum=0,
        nesterov=False,
        weight_decay=0.01,
        precision="float32",
    )
    run = finished(tmp_path, training)
    module, table, *_ = plain_training(training, NETWORK, 10, lambda step: 0.05)
    for found, expected in zip(run.network.parameters(), module.parameters(), strict=True):
        np.testing.assert_allclose(found.detach().cpu(), expected.detach(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(run.records["training"], table, rtol=1e-4)


def test_it_learns(tmp_path):
    training = Training(length="12 epochs", batch_size=8, learning_rate=0.05)
    table = history(finished(tmp_path, training))
    assert table["train_accuracy"].iloc[-1] > 0.9
    assert table["train_loss"].iloc[-1] < 0.5 * table["train_loss"].iloc[0]


def test_a_schedule_may_end_inside_an_epoch(tmp_path):
    training = TRAINING.model_copy(update={"length": "7 steps"})
    run = finished(tmp_path, training)
    assert (run.epoch, run.step) == (2, 7)
    visited = [(correct != NOT_VISITED).sum() for correct in run.records["correct"]]
    assert visited == [40, 16]
    module, table, correct, *_ = plain_training(TRAINING, NETWORK, 7, rate_of_the_small_training)
    np.testing.assert_array_equal(run.records["correct"], correct)
    np.testing.assert_allclose(run.records["training"], table, rtol=1e-4)
    for found, expected in zip(run.network.parameters(), module.parameters(), strict=True):
        np.testing.assert_allclose(found.detach().cpu(), expected.detach(), rtol=1e-4, atol=1e-5)


def test_it_yields_before_the_first_epoch_and_after_each(tmp_path):
    images = on_device(pictures())
    run = begun(images, tmp_path)
    steps = [run.step for run in train([run], images, TRAINING, make_schedule(TRAINING, 43), lambda steps: None)]
    assert steps == [0, 5, 10, 15, 20, 25]


def test_history(tmp_path):
    run = finished(tmp_path)
    table = history(run)
    assert list(table) == ["seed", "epoch", "learning_rate", "train_loss", "train_accuracy"]
    assert table["seed"].tolist() == [SEED] * 5
    assert table["epoch"].tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(table["learning_rate"], [0.1, 0.1, 0.02, 0.004, 0.004])
    run.records["validation"] = [np.array([epoch, 0.5]) for epoch in range(5)]
    assert history(run)["validation_loss"].tolist() == [0, 1, 2, 3, 4]
    assert history(begun(on_device(pictures()), tmp_path)).empty


# A run that begins on its way


class WithDropout(torch.nn.Sequential):
    def __init__(self) -> None:
        super().__init__(torch.nn.Flatten(), torch.nn.Linear(72, 20), torch.nn.Dropout(), torch.nn.Linear(20, CLASSES))


@pytest.mark.parametrize("step", [0, 3, 5, 12, 24, 25])
@pytest.mark.parametrize("dropout", [False, True])
def test_a_run_may_begin_at_any_step(tmp_path, step, dropout):
    """The first steps, and from there the others in a new run, are the same as all in one."""
    images = on_device(pictures())
    schedule = make_schedule(TRAINING, len(images))
    whole, first = (begun(images, tmp_path / name) for name in ("whole", "first"))
    if dropout:
        for run in (whole, first):
            torch.manual_seed(0)
            run.network = WithDropout().to(chosen_device())

    def through(run: Run, schedule: Schedule) -> None:
        for _ in train([run], images, TRAINING, schedule, lambda steps: None):
            pass

    through(whole, schedule)
    through(first, schedule.until_step(step))
    assert first.step == step
    second = start(Beginning(first.network, SEED), tmp_path / "second", step, step // schedule.epoch)
    assert not second.moments
    second.moments = first.moments
    through(second, schedule)
    assert (second.step, second.epoch) == (25, 5)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name
    for name, value in whole.moments.items():
        assert torch.equal(value, second.moments[name]), name
    if step < 25:
        left = 40 if step < 20 else 40 - (step - 20) * 8
        assert (second.correct != NOT_VISITED).sum() == left
        np.testing.assert_array_equal(
            second.correct[second.correct != NOT_VISITED], whole.correct[second.correct != NOT_VISITED]
        )


def test_one_that_began_inside_an_epoch_may_be_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)
    images = on_device(pictures())
    schedule = make_schedule(TRAINING, len(images))

    def at_step_7(name: str) -> Run:
        return start(Beginning(initialised(SEED), SEED), tmp_path / name, step=7, epoch=1)

    straight = at_step_7("straight")
    assert [run.step for run in train([straight], images, TRAINING, schedule, lambda steps: None)] == [
        7,
        10,
        15,
        20,
        25,
    ]
    for run in train([at_step_7("cut")], images, TRAINING, schedule, lambda steps: None):
        if run.step == 15:
            break
    again = at_step_7("cut")
    assert [run.step for run in train([again], images, TRAINING, schedule, lambda steps: None)] == [15, 20, 25]
    for name, value in straight.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name
