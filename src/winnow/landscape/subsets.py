"""What the networks on a line say of every single image: barriers on subsets, and the images that are connected."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import Tensor, nn

from winnow.autograd.evaluation import evaluation
from winnow.landscape.line import networks_along
from winnow.streams import numpy_stream
from winnow.training.batches import Batch
from winnow.training.evaluate import log_softmax

LOWEST, RANDOM, HIGHEST = "lowest", "random", "highest"


@dataclass(frozen=True)
class Outcomes:
    """Of n images at every point of a line. right: whether the network's class is the label, bool [points, n]; losses:
    cross-entropy in nats, float32 [points, n]."""

    right: np.ndarray
    losses: np.ndarray

    def of(self, rows: np.ndarray) -> "Outcomes":
        """Those of some of the images."""
        return Outcomes(self.right[:, rows], self.losses[:, rows])

    def beside(self, other: "Outcomes") -> "Outcomes":
        """Those of these images followed by those of others, on the same line."""
        return Outcomes(np.hstack([self.right, other.right]), np.hstack([self.losses, other.losses]))


def outcomes_along(
    network: nn.Module,
    states: tuple[Mapping[str, Tensor], Mapping[str, Tensor]],
    alphas: Sequence[float] | np.ndarray,
    parts: Mapping[str, Iterable[Batch]],
    calibration: Iterable[Batch] | None,
) -> dict[str, Outcomes]:
    """The outcomes for every image of some parts of the data, by part, on the line between two states. All else is as
    in ``line.errors_along``."""
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in parts}
    for _, there in networks_along(network, *states, alphas, calibration):
        for name, batches in parts.items():
            found[name].append(_outcomes(there, batches))
    return {name: Outcomes(*map(np.stack, zip(*points, strict=True))) for name, points in found.items()}


def _outcomes(network: nn.Module, batches: Iterable[Batch]) -> tuple[np.ndarray, np.ndarray]:
    right, log_likelihoods = [], []
    with evaluation(network):
        for inputs, labels in batches:
            outputs, given = log_softmax(network, inputs).cpu().numpy(), labels.cpu().numpy()
            right.append(outputs.argmax(axis=1) == given)
            log_likelihoods.append(outputs[np.arange(len(given)), given])
    return np.concatenate(right), -np.concatenate(log_likelihoods)


def connected(right: np.ndarray) -> np.ndarray:
    """Which single images are linearly connected, bool [n]: those whose 0-1 error is at no point of the line above the
    larger of their errors at the two ends. So an image is not connected if both ends classify it right and a network
    between them does not. right: bool [points, n], the ends first and last.

    Paul et al. 2022, "Lottery tickets on a data diet", count linearly connected examples. To compare with the larger of
    the two errors is a choice made here: the excess over the straight line between them, which is a barrier elsewhere,
    would call nearly every image disconnected that only one of the ends classifies right.
    """
    return right.all(axis=0) | ~right[0] | ~right[-1]


def table_of(alphas: Sequence[float] | np.ndarray, outcomes: Mapping[str, Outcomes]) -> pd.DataFrame:
    """One row per alpha and part: alpha, split (the part), error (0 to 1), loss (mean, nats) and connected: of the
    whole line, the fraction of the part's images that are connected."""
    rows = [
        (alpha, name, 1 - float(right.mean()), float(losses.mean()), float(connected(part.right).mean()))
        for name, part in outcomes.items()
        for alpha, right, losses in zip(alphas, part.right, part.losses, strict=True)
    ]
    return pd.DataFrame(rows, columns=["alpha", "split", "error", "loss", "connected"])


def by_score(scores: np.ndarray, images: int) -> dict[str, np.ndarray]:
    """So many images of the lowest scores, as many of the highest and as many at random: rising row numbers, int64.

    scores: float [n]; images without one (NaN) are in neither of the first two, and equal ones keep their order. Raises
    ValueError if the lowest and the highest would share images.
    """
    order = np.argsort(scores, kind="stable")  # NaN comes last
    ranked = int((~np.isnan(scores)).sum())
    if 2 * images > ranked:
        raise ValueError(
            f"images: {images} of the lowest and {images} of the highest are more than the {ranked} scored"
        )
    drawn = numpy_stream(0, "measured_on", 1).permutation(len(scores))  # 0 without a number draws those of all lines
    chosen = {LOWEST: order[:images], RANDOM: drawn[:images], HIGHEST: order[ranked - images : ranked]}
    return {name: np.sort(rows) for name, rows in chosen.items()}
