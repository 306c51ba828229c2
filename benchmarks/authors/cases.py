"""What every code is asked about: the images, and a comparison."""

import contextlib
import importlib.util
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from sklearn.datasets import load_digits

from winnow.counts import parts
from winnow.scores.of_outputs.margin import margin
from winnow.selection.choose import method
from winnow.selection.evidence import Given
from winnow.selection.methods.gradmatch import match
from winnow.selection.vectors import vectors

SIZE, DIMENSIONS, RIDGE = 60, 32, 0.01
SIZES = (150, 120, 100, 90, 80, 60)  # a tenth of each is a whole number, which every code rounds alike
UNEVEN = (105, 105, 105, 105, 90, 90)  # a tenth is 10.5 of some


@dataclass(frozen=True)
class Images:
    """labels: int64 [n]. features: float32 [n, d]. weights, bias: float32 [classes, d] and [classes], of the last
    layer."""

    name: str
    labels: np.ndarray
    features: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    @property
    def classes(self) -> int:
        return len(self.bias)

    @property
    def outputs(self) -> np.ndarray:
        """Log softmax, float64 [n, classes]."""
        logits = self.features.astype(np.float64) @ self.weights.astype(np.float64).T + self.bias
        return torch.log_softmax(torch.from_numpy(logits), 1).numpy()

    @property
    def margins(self) -> np.ndarray:
        """How much more probable the label is than any other class: float64 [n], high for easy images."""
        return -margin(self.outputs, self.labels)

    @property
    def gradients(self) -> np.ndarray:
        """Of the last layer's bias and weights, float64 [n, classes * (1 + d)]."""
        errors = np.exp(self.outputs)
        errors[np.arange(len(errors)), self.labels] -= 1
        return np.concatenate([errors, (errors[:, :, None] * self.features[:, None]).reshape(len(errors), -1)], axis=1)

    def evidence(self, **scores: np.ndarray) -> Given:
        return Given(self.labels, self.classes, scores, self.features, self.outputs)

    def groups(self) -> list[tuple[np.ndarray, int]]:
        """The rows of every class, and how many of them to keep."""
        return parts(SIZE, self.labels, self.classes, per_class=True)


@dataclass(frozen=True)
class Case:
    """One comparison. change: what differs from their code as it is, or from our usual options. why: what the change
    does not remove, if the subsets differ. ordered: whether both are in the order of choice. weights: ours and theirs,
    of mean 1."""

    method: str
    code: str
    change: str
    why: str
    ours: Sequence[int]
    theirs: Sequence[int]
    ordered: bool = False
    weights: tuple[np.ndarray, np.ndarray] | None = None


Compare = Callable[[Images], Iterator[Case]]


def made_up(seed: int, sizes: Sequence[int] = SIZES, name: str = "made up") -> Images:
    """Noise around centres, rectified as features are, and a last layer that knows the centres."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centers = rng.normal(size=(len(sizes), DIMENSIONS))
    features = np.maximum(centers[labels] + rng.normal(size=(len(labels), DIMENSIONS)), 0)
    weights, bias = 0.2 * centers, -0.1 * (np.maximum(centers, 0) ** 2).sum(axis=1)
    return Images(f"{name}, seed {seed}", labels, *(own.astype(np.float32) for own in (features, weights, bias)))


def digits() -> Images:
    """60 images of every digit, as a network sees them that has trained on them."""
    given = load_digits()
    rows = np.sort(np.concatenate([np.flatnonzero(given.target == label)[:60] for label in range(10)]))
    pixels, labels = torch.tensor(given.data[rows] / 16, dtype=torch.float32), given.target[rows].astype(np.int64)
    torch.manual_seed(0)
    wide, narrow, last = torch.nn.Linear(64, 64), torch.nn.Linear(64, DIMENSIONS), torch.nn.Linear(DIMENSIONS, 10)
    body = torch.nn.Sequential(wide, torch.nn.ReLU(), narrow, torch.nn.ReLU())
    optimizer = torch.optim.Adam([*body.parameters(), *last.parameters()], lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(last(body(pixels)), torch.from_numpy(labels)).backward()
        optimizer.step()
    own = (value.detach().numpy().copy() for value in (body(pixels), last.weight, last.bias))
    return Images("digits", labels, *own)


def ours(name: str, given: Given, rng: Any = None, **options: Any) -> np.ndarray:
    """The rows of one of our methods, in its order of choice."""
    return method(name)(given, SIZE, rng or np.random.default_rng(0), epoch=0, **options).rows


def matched(images: Images, counts: Sequence[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The images that our GradMatch matches with, before it fills up at random, and their weights, whose mean is 1 in
    every class. counts: how many images to keep of each class; a tenth if left out."""
    every = vectors(images.evidence(), 0, "gradients")
    rows, weights = [], []
    for label, (own, usual) in enumerate(images.groups()):
        found, fitted = match(every[own], counts[label] if counts else usual, RIDGE)
        rows.append(own[found])
        weights.append(fitted / fitted.mean())
    return np.concatenate(rows), np.concatenate(weights)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def by_prefix(select: Callable[[int], Any], size: int) -> list[int]:
    """The order of a greedy choice that only gives sets, from the sets of every size."""
    order: list[int] = []
    for count in range(1, size + 1):
        order += [int(row) for row in select(count) if int(row) not in order]
    return order


@contextlib.contextmanager
def importing(folder: Path, *stand_ins: str) -> Iterator[None]:
    """Import from a clone, and leave no module behind: two of them have a package of the same name. stand_ins: what
    their files import for other purposes; replaced where it is not installed."""
    before, names = set(sys.modules), [name for name in stand_ins if not _installed(name)]
    sys.path.insert(0, str(folder))
    sys.modules.update({name: mock.MagicMock() for name in names})
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if name in names or str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is not
        return False
