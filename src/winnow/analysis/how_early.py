"""How early a score may be taken, and over how many networks: accuracy by epoch of the score, and by seeds averaged."""

from collections.abc import Mapping

import pandas as pd

from winnow import methods as families
from winnow.analysis.spread import spread
from winnow.scores.families import OF_DATA
from winnow.scores.seed_scores import NO_EPOCH
from winnow.selection.choices import Choice

KEYS = ["score", "epoch", "seeds", "keep", "fraction"]


def scored_by(methods: Mapping[str, Choice], seeds: int) -> pd.DataFrame:
    """What each method ranks by that keeps the images of the highest score, of all classes together: columns method,
    score, epoch, seeds (over which the score is a mean) and group (of so many seeds, from 1).

    A score that does not depend on training has epoch -1 and no seeds. Of methods that say the same, only the first is
    there. seeds: how many networks are scored. The method full, of all images, is a score of that name.
    """
    rows = [("full", "full", NO_EPOCH, 0, 1)]
    for name, choice in methods.items():
        options = choice.options
        if choice.method == "ranked" and options["window"] is None and not options["per_class"]:
            alike = options["score"] in families.names(OF_DATA)  # whatever the network
            when = (NO_EPOCH, 0, 1) if alike else (options["epoch"], options["seeds"] or seeds, options["group"])
            rows.append((name, options["score"], *when))
    found = pd.DataFrame(rows, columns=["method", "score", "epoch", "seeds", "group"])
    return found.drop_duplicates(["score", "epoch", "seeds", "group"])


def how_early(accuracy: pd.DataFrame, methods: Mapping[str, Choice], seeds: int) -> pd.DataFrame:
    """Test accuracy by score, epoch of the score, number of seeds averaged, and keep.

    Returns score, epoch, seeds, keep, fraction, mean, low, high (band over all retrained networks, fractions), count
    (of these) and groups: how many groups of scoring networks, without a network in common, they were chosen by. With
    one group, the band is that of retraining alone; with several, it holds the spread of the scores too. ``accuracy``:
    a row for each retrained network and split; ``methods`` and ``seeds``: of ``scored_by``.
    """
    of_test = accuracy[accuracy["split"] == "test"].merge(scored_by(methods, seeds), on="method")
    groups = of_test.groupby(KEYS)["group"].nunique().rename("groups")
    return spread(of_test, KEYS, "accuracy").join(groups, on=KEYS).sort_values(KEYS[:3] + KEYS[:2:-1])


def along(table: pd.DataFrame, x: str) -> pd.DataFrame:
    """Of the table of ``how_early``, the rows that make lines over ``x`` (epoch or seeds): those with another row that
    differs in ``x`` alone. Empty if there are none."""
    others = [name for name in KEYS if name != x]
    rows = table[table["epoch"] != NO_EPOCH]
    return rows[rows.groupby(others)[x].transform("nunique") > 1]
