"""How networks do on a target, after retraining on a subset of the pool and fine-tuning on the target."""

from collections.abc import Mapping

import pandas as pd

FRESH = "fresh"  # networks that have seen no image of the pool
COLUMNS = {"target": str, "method": str, "keep": str, "fraction": float, "images": int, "seed": int, "accuracy": float}


def on_target(accuracy: pd.DataFrame, tuned: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """One row for each fine-tuned network: target, method, keep, fraction and images of the pool that it was retrained
    on, seed, and its accuracy (0 to 1) on the target's test images.

    accuracy: of the retrained networks, columns method, keep, fraction and images. tuned: by target and item, which is
    method-keep, full or fresh, columns seed and accuracy. Method fresh keeps no image.
    """
    items = accuracy.drop_duplicates(["method", "keep"])
    about = {
        "full" if row["method"] == "full" else f"{row['method']}-{row['keep']}": row for row in items.to_dict("records")
    } | {FRESH: {"method": FRESH, "keep": "0", "fraction": 0.0, "images": 0}}
    parts = [
        table.assign(
            target=target, **{column: about[item][column] for column in ("method", "keep", "fraction", "images")}
        )
        for (target, item), table in tuned.items()
    ]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]
