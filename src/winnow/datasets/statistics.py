"""Mean and standard deviation of each colour channel."""

import numpy as np

from winnow.datasets.images import Pixels, chunks


def channel_statistics(pixels: Pixels) -> tuple[list[float], list[float]]:
    """Mean and population standard deviation of each channel, in units of the full pixel range (0 to 1).

    pixels: uint8 [n, c, h, w]. Exact up to the last rounding, because it counts the pixels of each value and does not
    add them up. A channel whose pixels are all equal gets the standard deviation 1, so that dividing by it is harmless.
    """
    channels = pixels.shape[1]
    counts = np.zeros((channels, 256), dtype=np.int64)
    for chunk in chunks(pixels):
        for channel in range(channels):
            counts[channel] += np.bincount(chunk[:, channel].ravel(), minlength=256)
    values = np.arange(256) / 255
    mean = counts @ values / counts.sum(axis=1)
    variance = np.array([c @ (values - m) ** 2 for c, m in zip(counts, mean, strict=True)]) / counts.sum(axis=1)
    constant = (counts > 0).sum(axis=1) == 1
    return mean.tolist(), np.where(constant, 1.0, np.sqrt(variance)).tolist()
