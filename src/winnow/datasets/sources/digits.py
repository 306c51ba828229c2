"""scikit-learn's handwritten digits: 1,797 grey images of 8x8 pixels that come with the library."""

import numpy as np

from winnow.datasets.images import Images
from winnow.datasets.source import Source
from winnow.datasets.split import hold_out
from winnow.params.download import Download

# There is no official test set, so this source defines one: a quarter of every class, the same in every experiment,
# whatever its seeds.
_TEST_SHARE = 0.25
_TEST_SEED = 1797


def digits(params: Download) -> Source:
    """The images in the order of ``sklearn.datasets.load_digits``; ids and positions are its row numbers.

    Values from 0 to 16 are scaled to 0 to 255: value * 255 / 16, rounded to the nearest whole number.
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = np.rint(found.images * (255 / 16)).astype(np.uint8)[:, None]
    rows = np.arange(len(pixels))
    images = Images(pixels, found.target.astype(np.int64), np.array([f"digits/{row:04d}" for row in rows]), rows)
    train, test = hold_out(images.labels, _TEST_SHARE, _TEST_SEED)
    return Source(images.take(train), images.take(test), [str(name) for name in found.target_names])
