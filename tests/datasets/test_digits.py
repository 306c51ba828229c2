import hashlib
import subprocess
import sys

import numpy as np
from sklearn.datasets import load_digits

from winnow.datasets.build import read
from winnow.params.download import Download


def test_pixels_labels_and_ids_are_those_of_load_digits():
    digits, source = load_digits(), read(Download())
    for part in (source.train, source.test):
        pixels = part.pixels[:]
        assert pixels.dtype == np.uint8
        assert pixels.shape[1:] == (1, 8, 8)
        # 255 values hold 17 without loss: scaled back and rounded they are the old ones
        assert np.array_equal(np.rint(pixels[:, 0] / 255 * 16), digits.images[part.positions])
        assert np.array_equal(part.labels, digits.target[part.positions])
        assert part.ids.tolist() == [f"digits/{row:04d}" for row in part.positions]
        assert pixels.min() == 0
        assert pixels.max() == 255
    assert source.class_names == list("0123456789")


def test_they_are_the_same_in_every_version_of_scikit_learn():
    """No stage depends on the installed library: a version with other images would have to be made a dependency."""
    source, digest = read(Download()), hashlib.sha256()
    for part in (source.train, source.test):
        digest.update(part.pixels[:].tobytes() + part.labels.tobytes())
    known = "e9ddd8970c0f69bb2158d95f9bca85cb2326239e6a397c771faec4ff1191efa7"  # pragma: allowlist secret
    assert digest.hexdigest() == known


def test_a_quarter_of_every_class_is_the_test_set():
    target, source = load_digits().target, read(Download())
    assert sorted([*source.train.positions, *source.test.positions]) == list(range(1797))
    for digit in range(10):
        assert (source.test.labels == digit).sum() == round((target == digit).sum() / 4)


def test_the_test_set_is_the_same_whatever_the_seed_and_the_machine():
    test = read(Download(seed=1)).test
    assert np.array_equal(test.positions, read(Download(seed=2)).test.positions)
    assert test.positions[:8].tolist() == [14, 15, 16, 17, 26, 28, 33, 39]


def test_neither_torch_nor_torchvision_is_loaded():
    program = (
        "import sys; from winnow.datasets.build import build; from winnow.params.download import Download; "
        "build(Download());"
        "sys.exit(', '.join({'torch', 'torchvision'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
