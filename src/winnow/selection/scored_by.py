"""By which scores the methods rank: the epoch, and how many networks the score is a mean of."""

from collections.abc import Mapping

import pandas as pd

from winnow import methods as families
from winnow.scores.families import WITHOUT_EPOCH
from winnow.scores.seed_scores import NO_EPOCH
from winnow.selection.choices import Choice

PLAIN = (None, None, False)  # window, source, per_class


def scored_by(methods: Mapping[str, Choice], seeds: int) -> pd.DataFrame:
    """What each method ranks by that keeps the images of the highest score, of all classes together: columns method,
    score, epoch, seeds (over which the score is a mean) and group (of so many seeds, from 1).

    A score that does not depend on training has epoch -1 and no seeds. Of methods that say the same, only the first is
    there. seeds: how many networks are scored. The method full, of all images, is a score of that name.
    """
    rows = [("full", "full", NO_EPOCH, 0, 1)]
    for name, choice in methods.items():
        options = choice.options
        if choice.method == "ranked" and (options["window"], options["source"], options["per_class"]) == PLAIN:
            alike = any(options["score"] in families.names(family) for family in WITHOUT_EPOCH)
            when = (NO_EPOCH, 0, 1) if alike else (options["epoch"], options["seeds"] or seeds, options["group"])
            rows.append((name, options["score"], *when))
    found = pd.DataFrame(rows, columns=["method", "score", "epoch", "seeds", "group"])
    return found.drop_duplicates(["score", "epoch", "seeds", "group"])
