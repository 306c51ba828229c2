"""Measure error and loss along lines: from every level to its parent and to dense, between the levels of a list, and
between the two children of one network."""

from itertools import combinations
from pathlib import Path

from stages._lines import Line, measure
from stages._stage import code, keep_only, main, params
from stages._tickets import LINES, child, keep_levels, ticket
from winnow.params.dense import NAME as DENSE
from winnow.params.dense import Dense
from winnow.params.landscape import Connectivity
from winnow.params.pruning import Pruning, with_parents


def connectivity() -> None:
    options = params(dense=Dense, pruning=Pruning, connectivity=Connectivity)
    seeds, levels = options.dense.seeds, options.pruning.levels
    keep_levels(levels)
    pairs = with_parents(levels) + [(DENSE, name) for name in levels]
    pairs = list(dict.fromkeys([*pairs, *combinations(options.connectivity.matrix, 2)]))
    partings = sorted(int(folder.name) for folder in Path("data/spawn").iterdir())
    of_levels, of_children = LINES / "levels", LINES / "children"
    lines = [
        Line(ticket(a, seed), ticket(b, seed), of_levels / f"{a}-{b}" / f"seed{seed}.parquet")
        for a, b in pairs
        for seed in seeds
    ]
    lines += [
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
    measure(lines, options.connectivity, code(), "connectivity")


if __name__ == "__main__":
    main(connectivity)
