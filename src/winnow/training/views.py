"""Random views of images, for training without labels: a part of the image at its full size, in another light."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from winnow.streams import torch_stream

AREA = (0.3, 1.0)  # of the image, that a view shows
STRETCH = 4 / 3  # width to height of that part, at most, and height to width
CONTRAST = 0.4  # by how much the distances to the image's mean change at most, as a fraction
BRIGHTNESS = 0.4  # the most that is added to a channel, in standard deviations of that channel over all images


def draws_of_views(seed: int, epoch: int, count: int, channels: int) -> Tensor:
    """The chance in two views of each of ``count`` images: uniform in [0, 1), float32 [2, count, 6 + channels], drawn
    on the CPU, so that it is the same on every device."""
    return torch.rand(2, count, 6 + channels, generator=torch_stream(seed, "views", epoch))


def views(inputs: Tensor, draws: Tensor, flip: bool) -> Tensor:
    """One view of each image: a random part of it, resized to the image's size by bilinear interpolation, mirrored half
    of the time if ``flip``; then with another contrast, and with another brightness in each channel, which changes the
    hue of colour images.

    inputs: float32 [b, c, h, w], of mean 0 and standard deviation 1 in each channel. draws: uniform in [0, 1),
    float32 [b, 6 + c]. Returns float32 [b, c, h, w].

    The area and the stretch are those of random resized crops (Szegedy et al. 2015, sec. 6), but a part that would
    reach out of the image is cut off, not drawn again. Of the changes of colour of Chen et al. 2020 (SimCLR, app. A),
    it has those that grey images have too.
    """
    area, stretch, across, down, mirror, contrast = draws[:, :6].T
    area = AREA[0] + (AREA[1] - AREA[0]) * area
    stretch = torch.exp(math.log(STRETCH) * (2 * stretch - 1))
    width, height = (area * stretch).sqrt().clamp_max(1), (area / stretch).sqrt().clamp_max(1)
    # in units of half an image, from its centre, as affine_grid counts
    across, down = (1 - width) * (2 * across - 1), (1 - height) * (2 * down - 1)
    if flip:
        width = torch.where(mirror < 0.5, -width, width)
    zero = torch.zeros_like(width)
    window = torch.stack([width, zero, across, zero, height, down], dim=1).unflatten(1, (2, 3))
    grid = F.affine_grid(window, list(inputs.shape), align_corners=False)
    part = F.grid_sample(inputs, grid, mode="bilinear", padding_mode="border", align_corners=False)
    mean = part.mean(dim=(1, 2, 3), keepdim=True)
    factor = (1 + CONTRAST * (2 * contrast - 1)).view(-1, 1, 1, 1)
    light = (BRIGHTNESS * (2 * draws[:, 6:] - 1))[:, :, None, None]
    return (mean + factor * (part - mean) + light).contiguous(memory_format=torch.channels_last)
