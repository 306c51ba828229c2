"""The solver of GradMatch's authors (CORDS) that its strategy takes on a CPU."""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from authors.cases import RIDGE, Case, Compare, Images, importing, matched
from winnow.selection.methods.gradmatch import match
from winnow.selection.vectors import vectors


def load(folder: Path) -> Compare:
    with np.errstate(), importing(folder / "cords" / "selectionstrategies" / "helpers"):
        solvers = importlib.import_module("omp_solvers")  # which changes what numpy does about errors

    def chosen(images: Images, ridge: float, counts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        rows, weights = [], []
        for (own, _), count in zip(images.groups(), counts, strict=True):
            columns = images.gradients[own].T
            lam = ridge * (columns**2).sum(axis=0).mean()
            fitted = solvers.OrthogonalMP_REG(columns, columns.mean(axis=1), nnz=count, positive=True, lam=lam)
            rows.append(own[np.flatnonzero(fitted)])
            weights.append(fitted[fitted != 0] / fitted[fitted != 0].mean())
        return np.concatenate(rows), np.concatenate(weights)

    def compare(images: Images) -> Iterator[Case]:
        (own, of_own), counts = matched(images), [count for _, count in images.groups()]
        at_once = "an image whose weight falls below 0 leaves at once, in ours at the end"
        rows, _ = chosen(images, 0, counts)
        yield Case("gradmatch", "CORDS", "", f"it has no ridge on a CPU, and {at_once}", own, rows)
        rows, weights = chosen(images, RIDGE, counts)
        yield Case("gradmatch", "CORDS", "our ridge", at_once, own, rows, weights=(of_own, weights))
        fewer = _before_any_leaves(images)
        own, of_own = matched(images, fewer)
        rows, weights = chosen(images, RIDGE, fewer)
        change = f"our ridge, as long as no weight falls below 0 ({len(own)} images)"
        yield Case("gradmatch", "CORDS", change, "", own, rows, weights=(of_own, weights))

    return compare


def _before_any_leaves(images: Images) -> list[int]:
    """Of every class, how many images can be matched with until a weight falls below 0."""
    every = vectors(images.evidence(), 0, "gradients")
    return [
        next((c for c in range(count) if len(match(every[own], c + 1, RIDGE)[0]) <= c), count)
        for own, count in images.groups()
    ]
