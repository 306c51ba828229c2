"""Training without labels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.training.small import CLASSES, NETWORK, TRAINING, contents, interrupted, on_device, pictures
from winnow.datasets.images import Images
from winnow.networks import initialise
from winnow.params.training import Augment, Network, Training
from winnow.storage import load_table, load_tensors, save_tensors
from winnow.streams import torch_stream
from winnow.training.batches import DeviceImages, to_device, training_batches
from winnow.training.device import chosen_device
from winnow.training.evaluate import with_features
from winnow.training.fit import Task, fit_side_by_side
from winnow.training.loop import start
from winnow.training.pretrain import (
    REDUNDANCY,
    WIDTH,
    Twins,
    keep_features,
    train_epoch,
    twin_loss,
    twins,
    unlabelled,
)
from winnow.training.schedule import make_schedule
from winnow.training.views import draws_of_views, views

SHORT = TRAINING.model_copy(update={"length": "3 epochs", "decay_at": ["2 epochs"]})
SHAPE = (2, 6, 6)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    monkeypatch.setenv("WINNOW_WORKERS", "1")


def trained(folder, seeds=(3, 5), training=SHORT, images: DeviceImages | None = None, network=NETWORK):
    images = on_device(pictures()) if images is None else images
    begin, schedule = unlabelled(network, images.shape), make_schedule(training, len(images))
    task = Task(images, training, schedule, begin, one_epoch=train_epoch)
    fit_side_by_side({folder: task}, list(seeds), "test", on_end=keep_features(images))
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("WINNOW_WORKERS", "1")
        return trained(tmp_path_factory.mktemp("whole"))


# The loss


def test_the_loss_by_hand():
    """C = [[1, -1], [1, -1]]: on the diagonal 0 and 2 are missing, and beside it stand 1 and -1."""
    first, second = torch.tensor([[1.0, 1.0], [-1.0, -1.0]]), torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    assert twin_loss(first, second).item() == pytest.approx((4 + 2 * REDUNDANCY) / 2)
    both = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert twin_loss(both, both).item() == pytest.approx(0, abs=1e-6)  # alike, and no feature repeats another


@given(st.integers(2, 9), st.integers(1, 6), st.integers(0, 999))
def test_the_loss_and_its_gradient_against_a_loop(images, width, seed):
    first, second = np.random.default_rng(seed).normal(size=(2, images, width))

    def naive(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for i in range(width):
            for j in range(width):
                product = sum(a[i] * b[j] for a, b in zip(first, second, strict=True)) / images
                total = total + ((1 - product) ** 2 if i == j else REDUNDANCY * product**2)
        return total / width

    results = []
    for of, kind in ((twin_loss, torch.float32), (naive, torch.float64)):
        pair = [torch.tensor(each, dtype=kind, requires_grad=True) for each in (first, second)]
        loss = of(*pair)
        loss.backward()
        results.append([loss.item(), *(each.grad.numpy() for each in pair)])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


# The training


def test_the_files(whole):
    names = {f"seed{seed}/{name}" for seed in (3, 5) for name in ("features.safetensors", "history.csv")}
    assert set(contents(whole)) == names
    for seed in (3, 5):
        features = load_tensors(whole / f"seed{seed}" / "features.safetensors")["features"]
        assert (features.shape, features.dtype) == ((43, 8), np.float16)
        history = load_table(whole / f"seed{seed}" / "history.csv")
        assert history["epoch"].tolist() == [1, 2, 3]
        np.testing.assert_allclose(history["learning_rate"], [0.1, 0.1, 0.1 * 0.2])


def test_against_an_optimiser_of_torch(whole):
    """The same batches, in a loop of its own, with torch's SGD."""
    images = on_device(pictures())
    network = twins(NETWORK, SHAPE, 5).to(images.device)
    schedule = make_schedule(SHORT, len(images))
    optimiser = torch.optim.SGD(
        network.parameters(), lr=1, momentum=SHORT.momentum, nesterov=True, weight_decay=SHORT.weight_decay
    )
    network.train()
    step = 0
    for epoch in range(3):
        draws = draws_of_views(5, epoch, 40, 2).split(8, dim=1)
        batches = training_batches(images, 8, Augment(), [5], epoch)
        for (_, inputs, _), draw in zip(batches, draws, strict=True):
            optimiser.param_groups[0]["lr"] = schedule.learning_rate(step)
            step += 1
            optimiser.zero_grad()
            first, second = (network(views(inputs[0], own.to(images.device), True)) for own in draw)
            twin_loss(first, second).backward()
            optimiser.step()
    kept = load_tensors(whole / "seed5" / "features.safetensors")["features"]
    np.testing.assert_allclose(kept, with_features(network.network, images)[1], rtol=2e-2, atol=2e-3)


def test_views_have_single_precision_whatever_the_network_computes_in(tmp_path):
    """Eight bits would tell an image's pixels apart, but not places between them."""
    training, images = SHORT.model_copy(update={"precision": "bfloat16"}), on_device(pictures())
    begin = unlabelled(NETWORK, SHAPE)(5)
    run, seen = start(replace(begin, network=begin.network.to(images.device)), tmp_path / "run"), []
    run.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    train_epoch([run], images, training, make_schedule(training, len(images)))
    _, inputs, _ = next(iter(training_batches(images, 8, Augment(), [5], 0)))
    for found, draws in zip(seen, draws_of_views(5, 0, 40, 2)[:, :8].to(images.device), strict=False):
        assert torch.equal(found, views(inputs[0], draws, True))


def test_labels_change_nothing(whole, tmp_path):
    images = on_device(pictures())
    other = images.labelled(np.random.default_rng(1).integers(CLASSES, size=len(images)))
    assert contents(trained(tmp_path, images=other)) == contents(whole)


def test_only_flip_of_the_augmentation_counts(whole, tmp_path):
    def of(name: str, **augment) -> dict[str, bytes]:
        return contents(trained(tmp_path / name, [3], SHORT.model_copy(update={"augment": Augment(**augment)})))

    assert of("crop", crop=0, flip=True) == {
        name: content for name, content in contents(whole).items() if "seed3" in name
    }
    assert of("flip", flip=False) != of("again", flip=True)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_seed_depends_neither_on_others_nor_on_processes(whole, tmp_path, monkeypatch, workers):
    monkeypatch.setenv("WINNOW_WORKERS", workers)
    torch.rand(3)
    some = contents(trained(tmp_path, [5, 7]))
    expected = {name: content for name, content in contents(whole).items() if "seed5" in name}
    assert {name: some[name] for name in expected} == expected


def test_seeds_that_train_in_step_end_in_the_same_bytes(whole, tmp_path, monkeypatch):
    """As on a CUDA device."""
    monkeypatch.setattr("winnow.training.fit.together", lambda seeds, _: [list(seeds)])
    assert contents(trained(tmp_path)) == contents(whole)


def test_interrupted_again_and_again(whole, tmp_path, monkeypatch):
    found, interruptions = interrupted(lambda: trained(tmp_path), 3, monkeypatch)
    assert interruptions > 2
    assert contents(found) == contents(whole)


def test_a_schedule_that_ends_within_an_epoch(tmp_path):
    """13 steps of 5 an epoch."""
    history = load_table(trained(tmp_path, [3], SHORT.model_copy(update={"length": "13 steps"})) / "seed3/history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]


def test_starting_weights_but_for_the_last_layer(tmp_path):
    source = initialise(NETWORK, CLASSES, SHAPE, 9)
    save_tensors(tmp_path / "weights.safetensors", source.state_dict())
    path = str(tmp_path / "weights.safetensors")
    network = twins(NETWORK.model_copy(update={"weights": path}), SHAPE, 5).network
    own, last = twins(NETWORK, SHAPE, 5).network.state_dict(), list(source.state_dict())[-2:]
    assert own[last[0]].shape == (WIDTH, 8)
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, (own if name in last else source.state_dict())[name], rtol=0, atol=0)
    with pytest.raises(ValueError, match=r"^weights: .*shape"):
        twins(NETWORK.model_copy(update={"weights": path, "width": 3}), SHAPE, 5)


# What it learns


def shapes(count: int, seed: int) -> Images:
    """Bars, upright or flat, and corners, each at a random place and in a random light, with noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=count)
    pixels = rng.normal(60, 20, size=(count, 1, 10, 10))
    for image, label, (y, x), light in zip(
        pixels, labels, rng.integers(1, 5, size=(count, 2)), rng.uniform(60, 160, size=count), strict=True
    ):
        if label != 1:
            image[0, y : y + 5, x] += light
        if label != 0:
            image[0, y, x : x + 5] += light
    return Images(pixels.clip(0, 255).astype(np.uint8), labels, np.array([str(i) for i in range(count)]), labels)


def wrong_by_neighbour(features: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose nearest other image, by the angle of the features, has another label."""
    points = features.astype(np.float64)
    points /= np.linalg.norm(points, axis=1, keepdims=True) + 1e-9
    products = points @ points.T
    np.fill_diagonal(products, -np.inf)
    return float((labels[products.argmax(axis=1)] != labels).mean())


def test_features_tell_shapes_apart_better_than_those_of_random_weights(tmp_path):
    made = shapes(400, 0)
    images = to_device(made, {"mean": [0.3], "std": [0.15]}, chosen_device())
    network, training = Network(name="convnet", width=4), Training(length="8 epochs", batch_size=40, warmup="1 epoch")
    seeds = [0, 1, 2]
    trained(tmp_path, seeds, training, images, network)
    found = [load_tensors(tmp_path / f"seed{seed}" / "features.safetensors")["features"] for seed in seeds]
    begun = [twins(network, images.shape, seed).network.to(images.device) for seed in seeds]
    start = [with_features(each, images)[1] for each in begun]
    of_found, of_start = (np.array([wrong_by_neighbour(own, made.labels) for own in each]) for each in (found, start))
    assert (of_found < of_start / 2).all()


def test_the_weights_are_of_the_seed():
    assert isinstance(twins(NETWORK, SHAPE, 5), Twins)
    torch.rand(5)
    first, again, other = (twins(NETWORK, SHAPE, seed).state_dict() for seed in (5, 5, 6))
    for name in ("network.0.weight", "projection.2.weight"):
        torch.testing.assert_close(first[name], again[name], rtol=0, atol=0)
        assert not torch.equal(first[name], other[name])
    assert torch_stream(5, "projection").initial_seed() != torch_stream(5, "initialisation").initial_seed()
