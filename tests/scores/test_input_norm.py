import math

import numpy as np
import pytest

import winnow.datasets.images
from winnow.scores.of_data.input_norm import norms


def test_by_hand():
    # (255/255 - 0.5) / 0.25 = 2 and (0 - 0.5) / 0.25 = -2 in the first channel, (51/255 - 0) / 0.1 = 2 in the second
    pixels = np.array([[[[255, 0]], [[51, 0]]]], np.uint8)
    assert norms(pixels, [0.5, 0.0], [0.25, 0.1]) == pytest.approx([math.sqrt(4 + 4 + 4 + 0)])


def test_against_a_loop_whatever_the_chunk(monkeypatch):
    pixels = np.random.default_rng(0).integers(256, size=(7, 3, 2, 4), dtype=np.uint8)
    mean, std = [0.1, 0.5, 0.9], [0.2, 0.3, 1.0]
    expected = []
    for image in pixels:
        squares = [
            ((int(value) / 255 - mean[channel]) / std[channel]) ** 2
            for channel in range(3)
            for value in image[channel].ravel()
        ]
        expected.append(math.sqrt(math.fsum(squares)))
    for count in (0, 1, 3, 7, 100):
        monkeypatch.setattr(winnow.datasets.images, "CHUNK_BYTES", count * pixels[0].size)
        np.testing.assert_allclose(norms(pixels, mean, std), expected, rtol=1e-12)


def test_a_constant_channel_adds_nothing():
    pixels = np.full((2, 1, 2, 2), 255, np.uint8)
    assert norms(pixels, [1.0], [0.0]).tolist() == [0, 0]


def test_it_is_the_norm_of_what_the_networks_see():
    import torch

    from winnow.datasets.images import Images
    from winnow.training.batches import normalise, to_device

    pixels = np.random.default_rng(1).integers(256, size=(5, 3, 4, 4), dtype=np.uint8)
    facts = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.25]}
    images = to_device(
        Images(pixels, np.zeros(5, np.int64), np.array(list("abcde")), np.arange(5)), facts, torch.device("cpu")
    )
    seen = normalise(images.pixels, images).flatten(1).norm(dim=1)
    np.testing.assert_allclose(norms(pixels, facts["mean"], facts["std"]), seen.numpy(), rtol=1e-5)
