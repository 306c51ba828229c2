import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from winnow.datasets.corruptions import CORRUPTIONS, OF_BLUR, STRENGTHS, blur, contrast, jpeg, noise

ALL = pytest.mark.parametrize("name", sorted(CORRUPTIONS))
PIXELS = np.random.default_rng(0).integers(256, size=(3, 3, 32, 32)).astype(np.uint8)
SMOOTH = (255 * np.add.outer(np.linspace(0, 0.5, 32), np.linspace(0, 0.5, 32))).astype(np.uint8)[None, None]


@ALL
@given(pixels=arrays(np.uint8, st.tuples(st.integers(1, 2), st.sampled_from([1, 2, 3]), st.just(8), st.just(9))))
def test_shape_and_range_stay_and_the_given_pixels_too(name: str, pixels: np.ndarray) -> None:
    before = pixels.copy()
    for strength in STRENGTHS:
        found = CORRUPTIONS[name](pixels, strength)
        assert (found.shape, found.dtype) == (pixels.shape, np.uint8)
        np.testing.assert_array_equal(found, CORRUPTIONS[name](pixels, strength))
    np.testing.assert_array_equal(pixels, before)


@ALL
def test_stronger_changes_more(name: str) -> None:
    changes = [np.abs(CORRUPTIONS[name](PIXELS, strength).astype(int) - PIXELS).mean() for strength in STRENGTHS]
    assert changes == sorted(changes)
    assert 0 < changes[0] < changes[-1]


def test_noise_has_the_standard_deviation_of_the_paper() -> None:
    grey = np.full((2, 1, 100, 100), 128, np.uint8)
    for strength, width in zip(STRENGTHS, (0.04, 0.06, 0.08, 0.09, 0.1), strict=True):
        assert noise(grey, strength).std() / 255 == pytest.approx(width, rel=0.03)


def test_blur_is_the_sum_over_neighbours_by_hand() -> None:
    point = np.zeros((1, 1, 9, 9), np.uint8)
    point[0, 0, 4, 4] = 255
    weights = np.exp(-(np.arange(-4, 5) ** 2) / (2 * OF_BLUR[4] ** 2))
    weights /= weights.sum()
    np.testing.assert_allclose(blur(point, 5)[0, 0], np.floor(255 * np.outer(weights, weights) + 1e-9), atol=1)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_blur_repeats_the_border_beyond_it(strength: int) -> None:
    """In corners and at edges too: the sum over neighbours, those outside replaced by the nearest pixel inside."""
    width = OF_BLUR[strength - 1]
    reach = round(4 * width)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * width**2))
    weights /= weights.sum()
    image = PIXELS[:1, :, :7, :6]
    expected = np.zeros(image.shape)
    for row in range(7):
        for column in range(6):
            rows, columns = (np.clip(np.arange(at - reach, at + reach + 1), 0, size - 1)
                             for at, size in ((row, 7), (column, 6)))  # fmt: skip
            around = image[:, :, rows][:, :, :, columns] / 255
            expected[:, :, row, column] = np.einsum("ncij,i,j->nc", around, weights, weights)
    found = blur(image, strength)
    np.testing.assert_allclose(found, np.floor(255 * expected + 1e-9), atol=1)  # where a sum is just a whole number
    assert (found == np.floor(255 * expected + 1e-9)).mean() > 0.99


def test_contrast_by_hand() -> None:
    """The mean is 100; 200 and 0 move to within 15% of their distance."""
    image = np.array([[[[200, 0]]]], np.uint8)
    np.testing.assert_array_equal(contrast(image, 5), [[[[115, 85]]]])


def test_jpeg_keeps_smooth_images_and_gets_worse_with_the_quality() -> None:
    assert np.abs(jpeg(SMOOTH, 1).astype(int) - SMOOTH).max() <= 4
    two = np.concatenate([SMOOTH, SMOOTH[:, :, ::-1]], axis=1)  # two channels: each by itself
    np.testing.assert_array_equal(jpeg(two, 3)[:, :1], jpeg(SMOOTH, 3))
