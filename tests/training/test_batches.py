"""Batches against loops over single images."""

import itertools
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import winnow.training.batches
from tests.training.small import FACTS, on_device, pictures
from winnow.datasets.images import Images, Labelled, chunks, load_pixels
from winnow.datasets.statistics import channel_statistics
from winnow.params.training import Augment
from winnow.storage import save_rows
from winnow.training.batches import DeviceImages, crop_and_flip, normalise, to_device, training_batches

NONE = Augment()


def crop_and_flip_one(image: np.ndarray, padding: int, row: int, column: int, flip: bool) -> np.ndarray:
    channels, height, width = image.shape
    padded = np.zeros((channels, height + 2 * padding, width + 2 * padding), np.uint8)
    padded[:, padding : padding + height, padding : padding + width] = image
    window = padded[:, row : row + height, column : column + width]
    return window[:, :, ::-1] if flip else window


@given(
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 3),
    st.booleans(),
    st.integers(0, 99),
)
def test_crop_and_flip_against_one_image_at_a_time(count, channels, height, width, padding, flip, seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(256, size=(count, channels, height, width), dtype=np.uint8)
    offsets = rng.integers(2 * padding + 1, size=(count, 2))
    flips = rng.random(count) < 0.5
    found = crop_and_flip(
        torch.from_numpy(images),
        padding,
        torch.from_numpy(offsets) if padding else None,
        torch.from_numpy(flips) if flip else None,
    )
    expected = [
        crop_and_flip_one(image, padding, *offset, turned and flip)
        for image, offset, turned in zip(images, offsets, flips, strict=True)
    ]
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found.numpy(), expected)


def test_the_middle_window_is_the_image():
    image = torch.arange(24, dtype=torch.uint8).view(1, 2, 3, 4)
    assert torch.equal(crop_and_flip(image, 2, torch.tensor([[2, 2]]), None), image)


def test_normalise():
    images = pictures()
    there = on_device(images)
    inputs = normalise(there.at(slice(None)), there)
    for channel in range(2):
        expected = (images.pixels[:, channel] / 255 - FACTS["mean"][channel]) / FACTS["std"][channel]
        np.testing.assert_allclose(inputs[:, channel].cpu().numpy(), expected, rtol=1e-5, atol=1e-6)
    assert inputs.dtype == torch.float32
    assert inputs.is_contiguous(memory_format=torch.channels_last)


def test_normalised_training_images_have_mean_0_and_deviation_1():
    images = pictures()
    mean, std = channel_statistics(images.pixels)
    inputs = normalise(
        torch.from_numpy(images.pixels), to_device(images, {"mean": mean, "std": std}, torch.device("cpu"))
    )
    np.testing.assert_allclose(inputs.mean(dim=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(inputs.std(dim=(0, 2, 3), correction=0), 1, rtol=1e-5)


def test_a_constant_channel_becomes_0():
    images = pictures()
    images.pixels[:, 1] = 255
    facts = {"mean": [0.4, 1.0], "std": [0.3, 0.0]}
    inputs = normalise(torch.from_numpy(images.pixels), to_device(images, facts, torch.device("cpu")))
    np.testing.assert_allclose(inputs[:, 1], 0, atol=0.1)


def visits(batch_size: int = 8, augment: Augment = NONE, seed: int = 0, epoch: int = 0) -> list[list[int]]:
    batches = training_batches(on_device(pictures()), batch_size, augment, [seed], epoch)
    return [rows[0].tolist() for rows, _, _ in batches]


@pytest.mark.parametrize("batch_size", [1, 8, 43, 42])
def test_every_image_is_visited_once_at_most_in_whole_batches(batch_size):
    batches = visits(batch_size)
    assert [len(batch) for batch in batches] == [batch_size] * (43 // batch_size)
    rows = list(itertools.chain(*batches))
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(range(43))


def test_which_images_are_dropped_changes_from_epoch_to_epoch():
    dropped = [set(range(43)) - set(itertools.chain(*visits(epoch=epoch))) for epoch in range(20)]
    assert len(set().union(*dropped)) > 25  # 3 in each of 20 epochs


def test_inputs_and_labels_are_those_of_the_rows():
    images = pictures()
    there = on_device(images)
    for rows, inputs, labels in training_batches(there, 8, NONE, seeds=[0, 1], epoch=0):
        np.testing.assert_array_equal(labels.cpu(), images.labels[rows.cpu()])
        for own, batch in zip(rows.cpu(), inputs, strict=True):
            pixels = torch.from_numpy(images.pixels[own]).to(there.device)
            assert torch.equal(batch, normalise(pixels, there))


def test_the_order_belongs_to_seed_and_epoch():
    assert visits(seed=1, epoch=2) == visits(seed=1, epoch=2)
    orders = [str(visits(seed=seed, epoch=epoch)) for seed in range(3) for epoch in range(3)]
    assert len(set(orders)) == 9


def test_augmentation_does_not_change_the_order():
    for augment in (Augment(crop=2), Augment(flip=True), Augment(crop=1, flip=True)):
        assert visits(augment=augment) == visits()


def test_the_batch_size_does_not_change_the_order():
    assert list(itertools.chain(*visits(4)))[:40] == list(itertools.chain(*visits(8)))


def markers() -> np.ndarray:
    """Images of which every pixel tells its place."""
    return np.tile(np.arange(1, 37, dtype=np.uint8).reshape(1, 1, 6, 6), (16_000, 2, 1, 1))


def test_crops_and_flips_are_uniform():
    images = pictures(16_000)
    images.pixels[:] = markers()
    device_images = on_device(images)
    (batch,) = training_batches(device_images, 16_000, Augment(crop=1, flip=True), seeds=[0], epoch=0)
    pixels = ((batch[1][0] - device_images.shift) / device_images.scale).round().to(torch.uint8)[:, 0].cpu().numpy()
    plain = markers()[0]
    counts = [
        (pixels == crop_and_flip_one(plain, 1, row, column, flip)[0]).all(axis=(1, 2)).sum()
        for row in range(3)
        for column in range(3)
        for flip in (False, True)
    ]
    assert sum(counts) == 16_000  # every image is one of the 18
    expected = 16_000 / 18
    chi_squared = sum((count - expected) ** 2 / expected for count in counts)
    assert chi_squared < 51  # 17 degrees of freedom: exceeded once in 30,000


def test_flipping_does_not_change_the_windows():
    device_images = on_device(pictures())
    plain = list(training_batches(device_images, 8, Augment(crop=1), seeds=[0], epoch=0))
    flipped = list(training_batches(device_images, 8, Augment(crop=1, flip=True), seeds=[0], epoch=0))
    for (_, one, _), (_, other, _) in zip(plain, flipped, strict=True):
        same = (one == other).flatten(2).all(dim=2)
        mirrored = (one == other.flip(4)).flatten(2).all(dim=2)
        assert (same | mirrored).all()
    assert any(not torch.equal(one, other) for (_, one, _), (_, other, _) in zip(plain, flipped, strict=True))


def mapped(folder: Path, images: Images) -> Labelled:
    save_rows(folder / "train.safetensors", "pixels", images.pixels.shape, chunks(images.pixels))
    return Labelled(load_pixels(folder, "train"), images.labels)


def test_a_memory_map_is_used_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.setenv("WINNOW_DEVICE", "cpu")
    images = mapped(tmp_path, pictures())
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch's, that the map may not be written
        whole, some = on_device(images), on_device(images.take(slice(3, 9)))
    for found in (whole, some):
        assert found.pixels.data_ptr() == images.pixels.ctypes.data
    assert whole.at(slice(3, 9)).data_ptr() == images.pixels[3:].ctypes.data
    assert (len(some), some.shape, some.device) == (6, (2, 6, 6), torch.device("cpu"))


def same_work(some: DeviceImages, other: DeviceImages) -> None:
    """Whatever is done with either, the values are the same."""
    augment = Augment(crop=1, flip=True)
    batches = [list(training_batches(each, 4, augment, seeds=[0, 1], epoch=2)) for each in (some, other)]
    for one, two in zip(*batches, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    for one, two in zip(some.in_order(5), other.in_order(5), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert (len(some), some.shape, some.device) == (len(other), other.shape, other.device)


def test_a_subset_of_a_map_is_as_good_as_a_copy(tmp_path):
    images, rows = pictures(), np.array([7, 1, 1, 30, 42, 5, 0, 12, 13, 14, 15])
    copied = Labelled(images.pixels[rows], images.labels[rows])
    same_work(on_device(mapped(tmp_path, images).take(rows)), on_device(copied))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("rows", [slice(None), np.array([7, 1, 1, 30, 42, 5, 0, 12, 13, 14, 15])])
def test_a_device_without_room_for_the_pixels(tmp_path, monkeypatch, rows):
    images = mapped(tmp_path, pictures()).take(rows)
    there = to_device(images, FACTS, torch.device("cuda"))
    assert there.pixels.device.type == "cuda"
    monkeypatch.setattr(winnow.training.batches, "SHARE_OF_FREE_MEMORY", 0)
    here = to_device(images, FACTS, torch.device("cuda"))
    assert here.pixels.device.type == "cpu"
    same_work(here, there)


def test_other_labels():
    images = on_device(pictures())
    other = images.labelled(np.zeros(43, np.int64))
    assert other.labels.tolist() == [0] * 43
    assert other.pixels is images.pixels
    assert images.labels.max() == 2
    assert (len(images), images.shape) == (43, (2, 6, 6))
