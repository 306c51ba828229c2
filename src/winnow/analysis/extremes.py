"""The easiest and the hardest images of every class."""

import numpy as np
import pandas as pd


def extremes(images: pd.DataFrame, score: str, per_class: int) -> pd.DataFrame:
    """Of every class the ``per_class`` images of lowest and of highest score, each rising: label, side ("easiest" or
    "hardest"), row (in the table of images), id and score.

    None stands on both sides, so a class of fewer than 2 x ``per_class`` images has fewer on each, at most one more of
    the hardest. Images without a score are left out.

    images: one row per image, columns label, id and the score's.
    """
    table = images[["label", "id"]].assign(row=range(len(images)), score=images[score])
    rising = table.dropna(subset=["score"]).sort_values(["label", "score"], kind="stable")
    place, size = rising.groupby("label").cumcount(), rising.groupby("label")["label"].transform("size")
    highest = ((size + 1) // 2).clip(upper=per_class)
    lowest = (size - highest).clip(upper=per_class)
    shown = rising.assign(side=np.where(place < lowest, "easiest", "hardest"))
    return shown[(place < lowest) | (place >= size - highest)].reset_index(drop=True)
