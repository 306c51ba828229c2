"""How large the weights of every level are before its cut, right after it and after retraining, and where they are."""

import pandas as pd

from stages._stage import main, params
from stages._tickets import ticket
from winnow.params.dense import NAME as DENSE
from winnow.params.dense import Dense
from winnow.params.imp import Imp
from winnow.storage import save_table
from winnow.tickets.files import load_ticket
from winnow.tickets.magnitudes import density_table, magnitude_table


def magnitudes() -> None:
    options = params(dense=Dense, imp=Imp)
    parents = {DENSE: DENSE, **{name: level.parent for name, level in options.imp.levels.items()}}
    densities, tables = [], []
    for name, parent in parents.items():
        own, above = ([load_ticket(ticket(level, seed)) for seed in options.dense.seeds] for level in (name, parent))
        densities.append(density_table(own).assign(level=name))
        tables.append(magnitude_table(above, own).assign(level=name, parent=parent))
    save_table("data/landscape/density.parquet", pd.concat(densities, ignore_index=True))
    save_table("data/landscape/magnitudes.parquet", pd.concat(tables, ignore_index=True))


if __name__ == "__main__":
    main(magnitudes)
