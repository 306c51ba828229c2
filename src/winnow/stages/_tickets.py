"""Paths of the tickets and of the measurements on them, and the removal of those that have left the params."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from winnow.landscape.tables import joined, load_line
from winnow.params.dense import NAME as DENSE
from winnow.params.pruning import NO_PARENT
from winnow.stages._stage import keep_only

TICKETS, LANDSCAPE = Path("data/tickets"), Path("data/landscape")
LINES = LANDSCAPE / "lines"


def ticket(level: str, seed: int) -> Path:
    """The file of a level's ticket for one seed."""
    return TICKETS / level / f"seed{seed}" / "ticket.safetensors"


def child(step: int, which: str, seed: int) -> Path:
    """The file of one of the two networks that part at a step."""
    return Path(f"data/spawn/{step}/{which}/seed{seed}/ticket.safetensors")


def keep_levels(levels: Iterable[str]) -> None:
    """Keep only the tickets of dense and of these levels in their folder."""
    keep_only(TICKETS, [DENSE, NO_PARENT, *levels])


def keep_measured(runs: Iterable[str], levels: Iterable[str]) -> None:
    """Keep only these perturbed runs, and the curvature of only these levels, in their folders."""
    keep_only(LANDSCAPE / "perturbation", [f"{run}.parquet" for run in runs])
    keep_only(LANDSCAPE / "curvature", list(levels))


def lines_of(pairs: Iterable[tuple[str, str]], seeds: Sequence[int]) -> pd.DataFrame:
    """The points on the lines between these pairs of levels, for every seed."""
    return joined(
        load_line(LINES / "levels" / f"{a}-{b}" / f"seed{seed}.parquet", a=a, b=b, seed=seed)
        for a, b in pairs
        for seed in seeds
    )
