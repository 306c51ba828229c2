"""Features as points: what the methods that choose by distances share."""

import numpy as np

from winnow.selection.evidence import Evidence

CHUNK = 1 << 21  # float64 numbers of a product at once: 16 MiB


def points(evidence: Evidence, epoch: int) -> np.ndarray:
    """The features of every image after an epoch, float32 [n, d].

    Raises ValueError if they were not kept, or if some are not finite.
    """
    features = evidence.features(epoch).astype(np.float32, copy=False)
    broken = int((~np.isfinite(features).all(axis=1)).sum())
    if broken:
        raise ValueError(f"the features of epoch {epoch} are not finite for {broken} of {len(features)} images")
    return features


def squared_norms(rows: np.ndarray) -> np.ndarray:
    """Of every row of [n, d]: float64 [n]."""
    return np.einsum("nd,nd->n", rows, rows, dtype=np.float64)


def squared_distances(rows: np.ndarray, squares: np.ndarray, point: np.ndarray) -> np.ndarray:
    """From every row of [n, d], whose squared norms are ``squares``, to a point [d]: float64 [n].

    By norms and a product, in double precision: the rounding error is about 1e-16 of the squared norms.
    """
    return np.maximum(squares - 2 * (rows.astype(np.float64) @ point) + point @ point, 0)


def lower(nearest: np.ndarray, rows: np.ndarray, squares: np.ndarray, added: np.ndarray) -> None:
    """Lower the squared distances ``nearest`` [n] to those to the nearest of ``added``, indices of rows [n, d].

    One matrix product for all, in chunks of rows.
    """
    targets, their_squares = rows[added].astype(np.float64), squares[added]
    step = max(1, CHUNK // max(len(added), rows.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        product = rows[part].astype(np.float64) @ targets.T
        product *= -2
        product += their_squares
        np.minimum(nearest[part], np.maximum(product.min(axis=1) + squares[part], 0), out=nearest[part])
