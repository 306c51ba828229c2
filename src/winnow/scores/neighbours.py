"""Groups of images whose scores are neighbours."""

import numpy as np
import pandas as pd


def neighbours(score: np.ndarray, groups: int, images: int) -> pd.DataFrame:
    """Windows of so many images over the ranking, evenly spaced; the first has the lowest scores, the last the highest.

    score: float [n]; images without one (NaN) have no rank, and equal ones keep their order. Returns one row per image
    of a group: group (from 0), row (the image's, of n), score, and percentile (the middle of its rank, 0 to 100). Where
    the windows are wider than their distance they overlap. Raises ValueError if a group would have more images than
    there are.
    """
    order = np.argsort(score, kind="stable")  # NaN comes last
    ranked = int((~np.isnan(score)).sum())
    if images > ranked:
        raise ValueError(f"images: {images} in a group are more than the {ranked} that have a score")
    starts = np.linspace(0, ranked - images, groups).round().astype(int)
    ranks = (starts[:, None] + np.arange(images)).ravel()
    rows = order[ranks]
    return pd.DataFrame(
        {
            "group": np.repeat(np.arange(groups), images),
            "row": rows,
            "score": score[rows],
            "percentile": 100 * (ranks + 0.5) / ranked,
        }
    )
