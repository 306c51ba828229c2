"""The names of the lines of levels in a picture: a variant of iterative pruning, its rewind point and its data."""

import pandas as pd

from winnow.params.presets import PRESETS


def line_names(table: pd.DataFrame) -> pd.Series:
    """The name of the line that each row belongs to, such as "IMP", "IMP, rewind easy" or "IMP on el2n-0.5".

    ``table``: columns variant, rewind and data. The name includes the rewind point where one
    variant has several, and the data where they are not all ("full").
    """
    kinds = table[["variant", "rewind", "data"]].fillna("")
    several = kinds.groupby("variant")["rewind"].nunique() > 1
    names = [
        (PRESETS[variant].title if variant in PRESETS else variant)
        + (f" on {data}" if data not in ("", "full") else "")
        + (f", rewind {rewind}" if several[variant] and rewind else "")
        for variant, rewind, data in kinds.itertuples(index=False, name=None)
    ]
    return pd.Series(names, index=table.index, dtype=object)
