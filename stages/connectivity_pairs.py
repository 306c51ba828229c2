"""Error and loss along the lines between every two levels of a list, and between the two children of one network."""

import shutil
from itertools import combinations
from pathlib import Path

from stages._lines import Line, measure
from stages._stage import main, params, scratch
from stages._tickets import ticket
from winnow.params.dense import Dense
from winnow.params.landscape import Connectivity
from winnow.storage import save_table


def connectivity_pairs() -> None:
    options = params(dense=Dense, connectivity=Connectivity)
    seeds = options.dense.seeds
    levels = [
        Line({"a": a, "b": b, "seed": seed}, ticket(a, seed), ticket(b, seed))
        for a, b in combinations(options.connectivity.matrix, 2)
        for seed in seeds
    ]
    partings = sorted(Path("data/spawn").iterdir(), key=lambda folder: int(folder.name))
    children = [
        Line({"at": int(at.name), "a": "a", "b": "b", "seed": seed}, *(_child(at, which, seed) for which in ("a", "b")))
        for at in partings
        for seed in seeds
    ]
    folder = scratch()
    of_levels = measure(levels, options.connectivity, folder / "levels", "connectivity of levels")
    of_children = measure(children, options.connectivity, folder / "children", "connectivity of children")
    save_table("data/landscape/levels.parquet", of_levels)
    save_table("data/landscape/children.parquet", of_children)
    shutil.rmtree(folder)


def _child(at: Path, which: str, seed: int) -> Path:
    return at / which / f"seed{seed}" / "ticket.safetensors"


if __name__ == "__main__":
    main(connectivity_pairs)
