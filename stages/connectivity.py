"""Error and loss along the lines from a level's solutions to its parent's, and to the dense ones."""

import shutil

from stages._lines import Line, measure
from stages._stage import main, params, scratch
from stages._tickets import ticket
from winnow.params.dense import NAME as DENSE
from winnow.params.dense import Dense
from winnow.params.imp import Imp
from winnow.params.landscape import Connectivity
from winnow.storage import save_table


def connectivity(name: str) -> None:
    options = params(dense=Dense, imp=Imp, connectivity=Connectivity)
    others = dict.fromkeys([options.imp.levels[name].parent, DENSE])
    lines = [
        Line({"a": other, "b": name, "seed": seed}, ticket(other, seed), ticket(name, seed))
        for other in others
        for seed in options.dense.seeds
    ]
    folder = scratch()
    table = measure(lines, options.connectivity, folder, f"connectivity@{name}")
    save_table(f"data/landscape/connectivity/{name}.parquet", table)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(connectivity)
