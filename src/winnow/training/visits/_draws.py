"""What the methods share: how many images a share is, and a draw of them."""

from typing import Annotated

import numpy as np
from annotated_types import Gt, Le

Share = Annotated[float, Gt(0), Le(1)]


def count(share: float, images: int) -> int:
    """How many images a share of them is: rounded, at least one."""
    return max(1, round(share * images))


def draw(rng: np.random.Generator, rows: np.ndarray, size: int) -> np.ndarray:
    """``size`` of these rows, drawn at random without repeats, rising."""
    return np.sort(rng.permutation(rows)[:size])
