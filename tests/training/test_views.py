"""Random views against loops over single images."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.training.views import AREA, BRIGHTNESS, CONTRAST, STRETCH, draws_of_views, views

MIDDLE = [0.5] * 2  # no contrast, no brightness


def viewed(inputs: np.ndarray, draws: list[float], flip: bool = False) -> np.ndarray:
    return views(torch.tensor(inputs[None], dtype=torch.float32), torch.tensor([draws]), flip)[0].numpy()


def bilinear(image: np.ndarray, row: float, column: float) -> np.ndarray:
    """The channels at a place in pixels, where a pixel's own place is its centre; outside, those of the edge."""
    height, width = image.shape[1:]
    total = np.zeros(len(image))
    for y in (math.floor(row), math.floor(row) + 1):
        for x in (math.floor(column), math.floor(column) + 1):
            weight = (1 - abs(row - y)) * (1 - abs(column - x))
            total += weight * image[:, min(max(y, 0), height - 1), min(max(x, 0), width - 1)]
    return total


def view_of_one(image: np.ndarray, draws: np.ndarray, flip: bool) -> np.ndarray:
    """The view by its definition: the part's size and corner in pixels, then one pixel after the other."""
    height, width = image.shape[1:]
    area = AREA[0] + draws[0] * (AREA[1] - AREA[0])
    stretch = STRETCH ** (2 * draws[1] - 1)
    own_width, own_height = min(1, math.sqrt(area * stretch)) * width, min(1, math.sqrt(area / stretch)) * height
    left, top = draws[2] * (width - own_width), draws[3] * (height - own_height)
    found = np.empty_like(image)
    for y in range(height):
        for x in range(width):
            found[:, y, x] = bilinear(
                image, top + (y + 0.5) / height * own_height - 0.5, left + (x + 0.5) / width * own_width - 0.5
            )
    if flip and draws[4] < 0.5:
        found = found[:, :, ::-1]
    mean = found.mean()
    found = mean + (found - mean) * (1 + CONTRAST * (2 * draws[5] - 1))
    return found + BRIGHTNESS * (2 * draws[6:, None, None] - 1)


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.booleans(), st.integers(0, 999))
@settings(max_examples=40)
def test_against_one_image_at_a_time(count, channels, height, width, flip, seed):
    rng = np.random.default_rng(seed)
    inputs, draws = rng.normal(size=(count, channels, height, width)), rng.random((count, 6 + channels))
    found = views(torch.tensor(inputs, dtype=torch.float32), torch.tensor(draws, dtype=torch.float32), flip)
    expected = [view_of_one(image, own, flip) for image, own in zip(inputs, draws, strict=True)]
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-4)


def test_the_largest_part_is_the_image():
    image = np.random.default_rng(0).normal(size=(1, 5, 4))
    np.testing.assert_allclose(viewed(image, [1.0, 0.5, 0.2, 0.9, 0.0, *MIDDLE]), image, atol=1e-5)
    np.testing.assert_allclose(
        viewed(image, [1.0, 0.5, 0.2, 0.9, 0.0, *MIDDLE], flip=True), image[:, :, ::-1], atol=1e-5
    )


def test_the_corner_of_a_step_by_hand():
    """Of an image whose left half is 0 and whose right half is 1, a part at the left edge shows more of the 0, and one
    at the right edge more of the 1."""
    image = np.repeat([[0.0] * 4 + [1.0] * 4], 8, axis=0)[None]
    left, right = (viewed(image, [0.0, 0.5, side, 0.5, 0.9, *MIDDLE]) for side in (0.0, 1.0))
    assert left.mean() < 0.2 and right.mean() > 0.8
    np.testing.assert_allclose(left, 1 - right[:, :, ::-1], atol=1e-5)
    brighter = viewed(image, [0.0, 0.5, 0.0, 0.5, 0.9, 0.5, 1.0])
    np.testing.assert_allclose(brighter - left, BRIGHTNESS, atol=1e-5)
    flatter = viewed(image, [0.0, 0.5, 0.0, 0.5, 0.9, 0.0, 0.5])
    assert flatter.std() == pytest.approx((1 - CONTRAST) * left.std(), rel=1e-4)
    assert flatter.mean() == pytest.approx(left.mean(), abs=1e-5)


def test_the_draws_are_of_the_seed_and_the_epoch_and_differ_between_the_two_views():
    first = draws_of_views(3, 1, 5, 2)
    assert first.shape == (2, 5, 8)
    torch.rand(4)
    torch.testing.assert_close(draws_of_views(3, 1, 5, 2), first, rtol=0, atol=0)
    for other in (draws_of_views(4, 1, 5, 2), draws_of_views(3, 2, 5, 2), first.flip(0)):
        assert not torch.isclose(other, first).any()
