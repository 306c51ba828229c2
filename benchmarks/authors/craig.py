"""The code of CRAIG's authors: its lazy greedy for facility location, and its weights."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import sklearn.metrics  # noqa: F401 (their code uses it without importing it)

from authors.cases import SIZE, Case, Compare, Images, importing
from winnow.selection.choose import method
from winnow.selection.facilities import on_grid

ABSENT = ("nearpy", "nearpy.distances", "nearpy.filters", "nearpy.hashes", "matplotlib", "matplotlib.pyplot")
MNIST = ("tensorflow.contrib.learn.python.learn.datasets.mnist", "tensorflow.examples.tutorials.mnist")


def load(folder: Path) -> Compare:
    parents = [".".join(words[: i + 1]) for words in (name.split(".") for name in MNIST) for i in range(len(words))]
    with importing(folder, *ABSENT, *parents):
        theirs = importlib.import_module("util")

    def corrected(matrix: np.ndarray, count: int) -> np.ndarray:
        """What it chooses by similarities, with a further image 0, similar to none, that it is not offered."""
        padded, offered = np.pad(matrix, ((1, 0), (1, 0))), list(range(1, len(matrix) + 1))
        places, _ = theirs.lazy_greedy_heap(theirs.FacilityLocation(padded, offered), offered, count)
        return np.array(places) - 1

    def compare(images: Images) -> Iterator[Case]:
        chosen = method("craig")(images.evidence(), SIZE, np.random.default_rng(0), epoch=0)
        gradients, plain, without, untied, first = images.gradients, [], [], [], 0
        for label, (rows, count) in enumerate(images.groups()):
            own, stands_for, *_ = theirs.faciliy_location_order(
                label, gradients, images.labels, "euclidean", count, smtk=0, no=0, stoch_greedy=0
            )
            plain.append((own, stands_for))
            first += rows[0] in own
            similarity, _ = theirs.similarity(gradients[rows], metric="euclidean")
            for done, matrix in ((without, similarity), (untied, _untied(similarity, gradients[rows]))):
                kept = corrected(matrix, count)
                done.append((rows[kept], np.bincount(matrix[:, kept].argmax(axis=1), minlength=count)))
        none = f"image 0 of a class passes for no image, and gains log 2: it is kept in {first} of {images.classes}"
        equal = "of equal gains any image may win: often two images are the nearest of each other"
        further = "a further image 0 in every class, not offered"
        for change, why, of_class in (
            ("", none, plain),
            (further, equal, without),
            (f"{further}, of equal gains the earlier image made the larger", "", untied),
        ):
            rows, weights = (np.concatenate(found) for found in zip(*of_class, strict=True))
            both = (chosen.weights, weights / weights.mean())
            yield Case("craig", "CRAIG", change, why, chosen.rows, rows, ordered=True, weights=both)

    return compare


def _untied(similarity: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Similarities rounded as ours, so that equal gains are equal, and then every image the more similar to itself the
    earlier it stands, by less than any other two gains differ."""
    longest = 2 * float(np.linalg.norm(gradients, axis=1).max())
    found = on_grid(similarity, longest).astype(np.float64)
    return found + np.diag(np.arange(len(found), 0, -1) * longest * 2.0**-34)
