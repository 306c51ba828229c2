"""Read a source by its name, and build a data set from it."""

from dataclasses import replace

import numpy as np

from winnow import methods
from winnow.datasets.encoded import Encoded
from winnow.datasets.images import Dataset, Images, Pixels, Rows, chunks
from winnow.datasets.long_tail import long_tail
from winnow.datasets.source import Source
from winnow.datasets.split import hold_out
from winnow.datasets.statistics import channel_statistics
from winnow.errors import UserError
from winnow.params.download import Download

SOURCES = "winnow.datasets.sources"


def read(params: Download) -> Source:
    """Read the source that the params name, unchanged. Raises UserError if it is missing or damaged."""
    source: Source = methods.find(SOURCES, params.source)(params)
    return source


def build(params: Download) -> Dataset:
    """Read a source and divide it into a training, a validation and a test split.

    In this order: take the first images of each set, resize them, hold out the validation split (``hold_out``: the same
    fraction of every class), leave out what a long tail of classes does not have (``long_tail``; of the training split
    alone), compute the mean and standard deviation of each channel of the remaining training split.
    Only resizing copies pixels, to the disk; the splits are rows of what the source returned.

    Raises UserError if the source has fewer images than asked for, if a class keeps no training image, or if images
    differ in size.
    """
    source = read(params)
    train = _first(source.train, params.first, "download.first", f"training images in {params.source}")
    test = _first(source.test, params.first_test, "download.first_test", f"test images in {params.source}")
    if params.size:
        train, test = _resized(train, params.size), _resized(test, params.size)
    train, test = _same_shape(train, test)
    kept, held = hold_out(train.labels, params.validation, params.seed)
    _check_classes(train.labels, kept, source.class_names, params)
    if params.long_tail:
        kept = kept[long_tail(train.labels[kept], len(source.class_names), params.long_tail, params.seed)]
        _check_tail(train.labels[kept], source.class_names, params.long_tail)
    parts = {"train": train.take(kept), "validation": train.take(held), "test": test}
    mean, std = channel_statistics(parts["train"].pixels)
    if params.keep == "encoded":
        for name in ("validation", "test"):
            for _ in chunks(parts[name].pixels):  # finds damaged images, as the statistics did in the others
                pass
    return Dataset(parts, source.class_names, mean, std)


def in_channels(dataset: Dataset, channels: int) -> Dataset:
    """The data set with so many channels: grey images get theirs repeated, without a copy.

    Raises ValueError if the images are in colour and one channel is asked for.
    """
    own = dataset.splits["train"].pixels.shape[1]
    if own > channels:
        raise ValueError("its images are in colour, those of download are grey: give grey images")
    if own == channels:
        return dataset
    parts = {name: replace(part, pixels=_coloured(part.pixels, channels)) for name, part in dataset.splits.items()}
    return Dataset(parts, dataset.class_names, dataset.mean * channels, dataset.std * channels)


def _first(images: Images, count: int | None, key: str, what: str) -> Images:
    if count is not None and count > len(images):
        raise UserError(f"{key}: {count} is more than the {len(images)} {what}")
    return images if count is None else images.take(slice(count))


def _resized(images: Images, size: tuple[int, int]) -> Images:
    if images.pixels.shape[2:] == size:
        return images
    from winnow.datasets.decode import resize  # imports Pillow, which most runs on digits do not need

    return replace(images, pixels=resize(images.pixels, size))


def _same_shape(train: Images, test: Images) -> tuple[Images, Images]:
    """Both sets in colour if one is. Raises UserError if they differ in size."""
    (_, channels, *size), (_, test_channels, *test_size) = train.pixels.shape, test.pixels.shape
    if size != test_size:
        raise UserError(
            f"download.size is needed, as images differ in size: {train.ids[0]} is {size[0]}x{size[1]} pixels high and "
            f"wide, {test.ids[0]} is {test_size[0]}x{test_size[1]}; set it to [height, width], such as [32, 32]"
        )
    if channels < test_channels:
        train = replace(train, pixels=_coloured(train.pixels, test_channels))
    elif test_channels < channels:
        test = replace(test, pixels=_coloured(test.pixels, channels))
    return train, test


def _coloured(pixels: Pixels, channels: int) -> Pixels:
    """Grey images with their channel repeated, as a view."""
    if isinstance(pixels, Rows):
        whole = _coloured(pixels.array, channels)
        assert not isinstance(whole, Rows)
        return Rows(whole, pixels.rows)
    if isinstance(pixels, Encoded):
        return replace(pixels, of_image=(channels, *pixels.of_image[1:]))
    return np.broadcast_to(pixels, (len(pixels), channels, *pixels.shape[2:]))


def _check_classes(labels: np.ndarray, kept: np.ndarray, class_names: list[str], params: Download) -> None:
    """Raises UserError that names the first class without a training image, and the key that is the reason."""
    before = np.bincount(labels, minlength=len(class_names))
    after = np.bincount(labels[kept], minlength=len(class_names))
    for name, had, has in zip(class_names, before, after, strict=True):
        if had == 0 and params.first is not None:
            raise UserError(
                f"download.first: {name!r} is a class with no image among the first {params.first} of {params.source}; "
                "raise it, or leave it out"
            )
        if had == 0:
            raise UserError(f"download.source: {params.source}: {name!r} is a class with no image to train on")
        if has == 0:
            raise UserError(
                f"download.validation: {params.validation} leaves {name!r} a class with no image to train on; lower it"
            )


def _check_tail(labels: np.ndarray, class_names: list[str], factor: float) -> None:
    """Raises UserError that names the first class which the long tail leaves without a training image."""
    for name, has in zip(class_names, np.bincount(labels, minlength=len(class_names)), strict=True):
        if has == 0:
            raise UserError(
                f"download.long_tail: {factor:g} leaves {name!r} a class with no image to train on; lower it"
            )
