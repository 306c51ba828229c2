"""Images for training, and the batches made of them.

Pixels stay uint8 where they lie, in a memory map or on the device. A few tensor operations take out, crop, flip and
normalise a batch, with no work per image in Python.
"""

import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from winnow.datasets.encoded import Encoded
from winnow.datasets.images import Labelled, Pixels, Rows, chunks
from winnow.params.training import Augment
from winnow.streams import torch_stream
from winnow.training.distillation import Teaching

Batch = tuple[Tensor, Tensor]  # inputs of a network, float [b, ...], and labels, int64 [b], on the network's device
SHARE_OF_FREE_MEMORY = 0.5  # the fraction for pixels, on a CUDA device: the rest is for networks and activations


class Batches(Protocol):
    """Batches by their number: a list of them, or ``ImageBatches``."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Batch: ...


@dataclass(frozen=True)
class DeviceImages:
    """n images for work on a device.

    The labels, int64 [n], lie on the device, as do scale and shift, float32 [1, c, 1, 1]: ``pixels * scale + shift``
    has mean 0 and standard deviation 1 per channel over the train split.

    pixels: uint8 [m, c, h, w], on the device or, if it has no room for them, in their memory map, or encoded there.
    rows: int64 [n], in the same place as the pixels: the rows of pixels that are the images; None for all, in their
    order. So read an image's pixels with ``at``, ``several`` or ``in_order``. weights: float32 [n], how much each image
    counts in the training loss; None if all count the same. teaching: what a teacher says of them; None without one.
    """

    pixels: Tensor | Encoded
    labels: Tensor
    scale: Tensor
    shift: Tensor
    rows: Tensor | None = None
    weights: Tensor | None = None
    teaching: Teaching | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        return self.labels.device

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.pixels.shape[1:]
        return channels, height, width

    @property
    def place(self) -> torch.device:
        """Where the pixels lie."""
        return torch.device("cpu") if isinstance(self.pixels, Encoded) else self.pixels.device

    def at(self, which: Tensor | slice) -> Tensor:
        """The pixels of some images, uint8 [b, c, h, w], on the device. which: int64 [b] on the device, or a slice."""
        return next(self.several([which]))

    def several(self, wanted: Iterable[Tensor | slice]) -> Iterator[Tensor]:
        """``at`` for each in turn. Of encoded images, the next are being decoded while one is used."""
        rows = (self._rows(which) for which in wanted)
        if isinstance(self.pixels, Encoded):
            found = self.pixels.several(each.numpy() if isinstance(each, Tensor) else each for each in rows)
            return (self._here(torch.from_numpy(pixels)) for pixels in found)
        return (self._here(self.pixels[each]) for each in rows)

    def _rows(self, which: Tensor | slice) -> Tensor | slice:
        if isinstance(which, Tensor):
            which = which.to(self.place)
        return which if self.rows is None else self.rows[which]

    def _here(self, pixels: Tensor) -> Tensor:
        return pixels if pixels.device == self.device else pixels.pin_memory().to(self.device, non_blocking=True)

    def in_order(self, count: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Pixels [b, c, h, w] and labels [b] of all images, at most ``count`` at a time."""
        parts: list[Tensor | slice] = [slice(start, start + count) for start in range(0, len(self), count)]
        for part, pixels in zip(parts, self.several(parts), strict=True):
            yield pixels, self.labels[part]

    def batches(self, size: int = 500) -> "ImageBatches":
        """All images in their order, ``size`` at a time."""
        return ImageBatches(self, [slice(start, start + size) for start in range(0, len(self), size)])

    def mixed(self, size: int = 500) -> "ImageBatches":
        """All images in a random order, the same in every call, in ceil(n / size) batches whose sizes differ by at most
        one."""
        order = torch.randperm(len(self), generator=torch_stream(0, "statistics")).to(self.device)
        return ImageBatches(self, order.tensor_split(math.ceil(len(self) / size)))

    def weighted(self, weights: np.ndarray | None) -> "DeviceImages":
        """The same images with weights, float32 [n]."""
        return self if weights is None else replace(self, weights=torch.tensor(weights, device=self.device))

    def taught(self, teaching: Teaching) -> "DeviceImages":
        """The same images with a teacher, whose rows are theirs."""
        return replace(self, teaching=teaching)

    def part(self, rows: np.ndarray) -> "DeviceImages":
        """Some of the images, int64 [m], without weights or a teacher."""
        pixels = torch.from_numpy(rows).to(self.place)
        return replace(
            self,
            labels=self.labels[pixels.to(self.device)],
            rows=pixels if self.rows is None else self.rows[pixels],
            weights=None,
            teaching=None,
        )

    def labelled(self, labels: np.ndarray) -> "DeviceImages":
        """The same images with other labels, int64 [n]."""
        return replace(self, labels=torch.tensor(labels, device=self.device))


@dataclass(frozen=True)
class ImageBatches:
    """Images as a network's inputs: a batch is normalised when it is read. rows: the images of each batch."""

    images: DeviceImages
    rows: Sequence[Tensor | slice]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Batch:
        rows = self.rows[index]
        return normalise(self.images.at(rows), self.images), self.images.labels[rows]

    def __iter__(self) -> Iterator[Batch]:
        for rows, pixels in zip(self.rows, self.images.several(self.rows), strict=True):
            yield normalise(pixels, self.images), self.images.labels[rows]


def to_device(images: Labelled, facts: dict[str, Any], device: torch.device) -> DeviceImages:
    """Images for work on the device; ``facts`` (of datasets.images.load_facts) gives the channels' mean and deviation.

    On a CPU no pixel is copied: a memory map stays one, and parallel processes share its pages. Another device takes
    the pixels if it has room for them; otherwise every batch is copied there from the map. The values are the same.
    """
    mean = torch.tensor(facts["mean"], dtype=torch.float64).view(1, -1, 1, 1)
    std = (
        torch.tensor(facts["std"], dtype=torch.float64).clamp_min(1e-6).view(1, -1, 1, 1)
    )  # a constant channel stays 0
    pixels, rows = _placed(images.pixels, device)
    return DeviceImages(
        pixels=pixels,
        labels=torch.tensor(images.labels, device=device),
        scale=(1 / (255 * std)).float().to(device),
        shift=(-mean / std).float().to(device),
        rows=rows,
    )


def _placed(pixels: Pixels, device: torch.device) -> tuple[Tensor | Encoded, Tensor | None]:
    """``pixels`` and ``rows`` of DeviceImages."""
    if device.type == "cpu" or not _has_room(device, int(np.prod(pixels.shape))):
        array, rows = (pixels.array, torch.from_numpy(pixels.rows)) if isinstance(pixels, Rows) else (pixels, None)
        return array if isinstance(array, Encoded) else _as_tensor(array), rows
    placed = torch.empty(pixels.shape, dtype=torch.uint8, device=device)
    start = 0
    for chunk in chunks(pixels):
        placed[start : start + len(chunk)] = _as_tensor(chunk)
        start += len(chunk)
    return placed, None


def _has_room(device: torch.device, size: int) -> bool:
    return device.type != "cuda" or size <= SHARE_OF_FREE_MEMORY * torch.cuda.mem_get_info(device)[0]


def _as_tensor(array: np.ndarray) -> Tensor:
    """The array's own memory as a tensor. Torch warns if the memory is read-only, but nothing here writes to it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(array)


def normalise(pixels: Tensor, images: DeviceImages) -> Tensor:
    """uint8 pixels [b, c, h, w] as the float32 input of a network."""
    # convolutions run fastest in channels_last, on CPUs and on GPUs
    return torch.addcmul(images.shift, pixels.float(), images.scale).contiguous(memory_format=torch.channels_last)


def crop_and_flip(pixels: Tensor, padding: int, offsets: Tensor | None, flips: Tensor | None) -> Tensor:
    """Crop a window out of every black-padded image and mirror some of them.

    pixels: uint8 [b, c, h, w]; offsets: int64 [b, 2], rows and columns from 0 to 2 * padding; flips: bool [b].
    Returns uint8 [b, c, h, w].
    """
    if offsets is not None:
        height, width = pixels.shape[2:]
        windows = F.pad(pixels, (padding,) * 4).unfold(2, height, 1).unfold(3, width, 1)  # views: [b, c, y, x, h, w]
        every = torch.arange(len(pixels), device=pixels.device)
        pixels = windows[every, :, offsets[:, 0], offsets[:, 1]]
    if flips is not None:
        pixels = torch.where(flips.view(-1, 1, 1, 1), pixels.flip(3), pixels)
    return pixels


def training_batches(
    images: DeviceImages,
    batch_size: int,
    augment: Augment,
    seeds: Sequence[int],
    epoch: int,
    parts: Sequence[Tensor] = (),
    own: slice = slice(None),
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """One pass over the images for each of k seeds, in a random order and in whole batches; the rest is dropped.

    Yields (rows [k, b], inputs float32 [k, b, c, h, w], labels [k, b]). Order and augmentation are drawn on the CPU,
    from the streams of each seed and this epoch. So they are the same on every device, after a restart, and beside any
    other seeds.

    parts: for every seed the rows of its images, int64 [m] on the CPU; without it, all images. own: which images of
    every batch have inputs and labels; all have rows.
    """
    parts = parts or [torch.arange(len(images))] * len(seeds)
    count = len(parts[0]) // batch_size * batch_size
    orders, offsets, flips = [], [], []
    for seed, rows in zip(seeds, parts, strict=True):
        orders.append(rows[torch.randperm(len(rows), generator=torch_stream(seed, "data_order", epoch))[:count]])
        draws = torch_stream(seed, "augmentation", epoch)
        if augment.crop:
            offsets.append(torch.randint(2 * augment.crop + 1, (count, 2), generator=draws))
        if augment.flip:
            flips.append(torch.rand(count, generator=draws) < 0.5)
    device = images.device
    order = torch.stack(orders).to(device)
    offset = torch.stack(offsets).to(device) if offsets else None
    flip = torch.stack(flips).to(device) if flips else None
    steps = [slice(start, start + batch_size) for start in range(0, count, batch_size)]
    visits = [order[:, step] for step in steps]
    found = images.several(each[:, own].flatten() for each in visits)
    for part, visited, plain in zip(steps, visits, found, strict=True):
        taken = visited[:, own]
        pixels = crop_and_flip(
            plain,
            augment.crop,
            None if offset is None else offset[:, part][:, own].flatten(0, 1),
            None if flip is None else flip[:, part][:, own].flatten(),
        )
        yield visited, normalise(pixels, images).unflatten(0, taken.shape), images.labels[taken]
