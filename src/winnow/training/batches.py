"""Images on the device, and the batches made of them: the whole set stays there as uint8, and a batch is cut, flipped
and normalised in a few tensor operations, with no work per image in Python."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from winnow.datasets.images import Images
from winnow.params.training import Augment
from winnow.streams import torch_stream


@dataclass(frozen=True)
class DeviceImages:
    """pixels: uint8 [n, c, h, w]; labels: int64 [n]; scale and shift: float32 [1, c, 1, 1], so that
    ``pixels * scale + shift`` has mean 0 and deviation 1 per channel over the training part."""

    pixels: Tensor
    labels: Tensor
    scale: Tensor
    shift: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.pixels.shape[1:]
        return channels, height, width

    def labelled(self, labels: np.ndarray) -> "DeviceImages":
        """The same images with other labels, int64 [n]."""
        return replace(self, labels=torch.tensor(labels, device=self.labels.device))


def to_device(images: Images, facts: dict[str, Any], device: torch.device) -> DeviceImages:
    """Move images to the device; ``facts`` (of datasets.images.load_facts) gives the channels' mean and deviation."""
    mean = torch.tensor(facts["mean"], dtype=torch.float64).view(1, -1, 1, 1)
    std = (
        torch.tensor(facts["std"], dtype=torch.float64).clamp_min(1e-6).view(1, -1, 1, 1)
    )  # a constant channel stays 0
    return DeviceImages(
        pixels=torch.from_numpy(images.pixels).to(device),
        labels=torch.tensor(images.labels, device=device),
        scale=(1 / (255 * std)).float().to(device),
        shift=(-mean / std).float().to(device),
    )


def normalise(pixels: Tensor, images: DeviceImages) -> Tensor:
    """uint8 pixels [b, c, h, w] as the float32 input of a network."""
    # channels_last is the layout in which convolutions run fastest, on CPUs and on GPUs
    return torch.addcmul(images.shift, pixels.float(), images.scale).contiguous(memory_format=torch.channels_last)


def crop_and_flip(pixels: Tensor, padding: int, offsets: Tensor | None, flips: Tensor | None) -> Tensor:
    """Cut a window out of every black-padded image and mirror some of them.

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
    images: DeviceImages, batch_size: int, augment: Augment, seeds: Sequence[int], epoch: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """For each of k seeds one pass over the images in a random order, in whole batches; the rest is dropped.

    Yields (rows [k, b], inputs float32 [k, b, c, h, w], labels [k, b]). Order and augmentation come from the streams of
    each seed and this epoch, drawn on the CPU, so that they are the same on every device, after a restart, and whatever
    other seeds there are.
    """
    count = len(images) // batch_size * batch_size
    orders, offsets, flips = [], [], []
    for seed in seeds:
        orders.append(torch.randperm(len(images), generator=torch_stream(seed, "data_order", epoch))[:count])
        draws = torch_stream(seed, "augmentation", epoch)
        if augment.crop:
            offsets.append(torch.randint(2 * augment.crop + 1, (count, 2), generator=draws))
        if augment.flip:
            flips.append(torch.rand(count, generator=draws) < 0.5)
    device = images.pixels.device
    order = torch.stack(orders).to(device)
    offset = torch.stack(offsets).to(device) if offsets else None
    flip = torch.stack(flips).to(device) if flips else None
    for start in range(0, count, batch_size):
        part = slice(start, start + batch_size)
        visited = order[:, part]
        pixels = crop_and_flip(
            images.pixels[visited.flatten()],
            augment.crop,
            None if offset is None else offset[:, part].flatten(0, 1),
            None if flip is None else flip[:, part].flatten(),
        )
        yield visited, normalise(pixels, images).unflatten(0, visited.shape), images.labels[visited]
