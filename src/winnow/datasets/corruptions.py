"""Corrupted images, by the formulas and strengths of CIFAR-10-C (Hendrycks and Dietterich 2019, "Benchmarking neural
network robustness to common corruptions and perturbations"), for tests of networks only."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

STRENGTHS = (1, 2, 3, 4, 5)
OF_NOISE = (0.04, 0.06, 0.08, 0.09, 0.10)  # standard deviation, in units of the full range
OF_BLUR = (0.4, 0.6, 0.7, 0.8, 1.0)  # standard deviation, in pixels
OF_CONTRAST = (0.75, 0.5, 0.4, 0.3, 0.15)  # what is left of the difference to the image's mean
OF_JPEG = (80, 65, 58, 50, 40)  # quality


def noise(pixels: np.ndarray, strength: int) -> np.ndarray:
    """Gaussian noise, the same in every call."""
    draws = np.random.default_rng(strength).normal(0, OF_NOISE[strength - 1], pixels.shape)
    return _as_pixels(pixels / 255 + draws)


def blur(pixels: np.ndarray, strength: int) -> np.ndarray:
    """A Gaussian blur of each channel."""
    width = OF_BLUR[strength - 1]
    return _as_pixels(gaussian_filter(pixels / 255, (0, 0, width, width), mode="nearest"))


def contrast(pixels: np.ndarray, strength: int) -> np.ndarray:
    """Each channel nearer to its mean over the image."""
    means = pixels.mean(axis=(2, 3), keepdims=True) / 255
    return _as_pixels((pixels / 255 - means) * OF_CONTRAST[strength - 1] + means)


def jpeg(pixels: np.ndarray, strength: int) -> np.ndarray:
    """Encoded as JPEG and decoded again: three channels as colours, others one by one."""
    quality = OF_JPEG[strength - 1]
    if pixels.shape[1] == 3:
        return np.stack([_encoded(image.transpose(1, 2, 0), quality).transpose(2, 0, 1) for image in pixels])
    return np.stack([[_encoded(channel, quality) for channel in image] for image in pixels])


def _encoded(pixels: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def _as_pixels(values: np.ndarray) -> np.ndarray:
    """Values from 0 to 1, clipped, as whole pixels; the fraction is cut off, as the authors do."""
    return (np.clip(values, 0, 1) * 255 + 1e-9).astype(np.uint8)


# from uint8 pixels [n, channels, height, width] and a strength to pixels of the same shape
CORRUPTIONS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "noise": noise,
    "blur": blur,
    "contrast": contrast,
    "jpeg": jpeg,
}
