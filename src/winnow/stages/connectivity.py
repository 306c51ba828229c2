"""Measure error and loss along lines: from every level to its parent and to dense, between the levels of a list, and
between the two children of one network; these also on the training images of the lowest and of the highest scores."""

from itertools import combinations
from pathlib import Path

import numpy as np

from winnow.errors import UserError
from winnow.landscape.subsets import by_score
from winnow.params.dense import NAME as DENSE
from winnow.params.dense import Dense
from winnow.params.landscape import Connectivity, Subsets
from winnow.params.pruning import with_parents
from winnow.scores.columns import parse_column
from winnow.stages._experiment import levels
from winnow.stages._lines import Line, measure
from winnow.stages._stage import code, keep_only, main, naming, params
from winnow.stages._tickets import LINES, child, keep_levels, ticket
from winnow.storage import load_table


def connectivity() -> None:
    options = params(dense=Dense, connectivity=Connectivity)
    seeds, all_levels = options.dense.seeds, levels()
    keep_levels(all_levels)
    pairs = with_parents(all_levels) + [(DENSE, name) for name in all_levels]
    pairs = list(dict.fromkeys([*pairs, *combinations(options.connectivity.matrix, 2)]))
    partings = sorted(int(folder.name) for folder in Path("data/spawn").iterdir())
    of_levels, of_children = LINES / "levels", LINES / "children"
    between_levels = [
        Line(ticket(a, seed), ticket(b, seed), of_levels / f"{a}-{b}" / f"seed{seed}.parquet")
        for a, b in pairs
        for seed in seeds
    ]
    between_children = [
        Line(child(step, "a", seed), child(step, "b", seed), of_children / f"{step}" / f"seed{seed}.parquet")
        for step in partings
        for seed in seeds
    ]
    for folder in (of_levels, of_children):  # even if nothing is measured
        folder.mkdir(parents=True, exist_ok=True)
    keep_only(of_levels, [f"{a}-{b}" for a, b in pairs])
    keep_only(of_children, map(str, partings))
    for folder in [*of_levels.iterdir(), *of_children.iterdir()]:
        keep_only(folder, [f"seed{seed}.parquet" for seed in seeds])
    measure(between_levels, options.connectivity, code(), "connectivity")
    if between_children:
        subsets = subsets_of(options.connectivity.subsets)
        measure(between_children, options.connectivity, code(), "connectivity, children", subsets)


def subsets_of(subsets: Subsets) -> dict[str, np.ndarray]:
    """By name, the rows of the training images of the lowest and of the highest scores, and of as many at random."""
    if not subsets.images:
        return {}
    table = load_table("data/scores/scores.parquet")
    parsed = {name: parse_column(name) for name in table.columns}
    epochs = {found[1]: name for name, found in parsed.items() if found and found[0] == subsets.score}
    epoch = max(epochs, default=None) if subsets.epoch is None else subsets.epoch
    if epoch not in epochs:
        raise UserError(f"params.yaml: connectivity.subsets.epoch: {subsets.score} has no score at epoch {epoch}")
    with naming("connectivity.subsets."):
        return by_score(table[epochs[epoch]].to_numpy(float), subsets.images)


if __name__ == "__main__":
    main(connectivity)
