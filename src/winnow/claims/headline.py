"""The few numbers that one looks at first, for DVC's own commands, which show a column or a row for each."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from winnow.analysis.reliability import halves_at
from winnow.claims.data_diet import nearest_to_half
from winnow.claims.results import Results
from winnow.claims.rules import FAILS, HOLDS
from winnow.params.dense import NAME as DENSE

DIGITS = 4  # of every number; the tables have them in full


def headline(results: Results, reliability: pd.DataFrame, found: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """At most nine numbers, those of them that there are. Names are short, as ``dvc exp show`` makes columns of them.

    full, el2n, random: mean test accuracy with all images, and with about half of them by either method (fractions).
    halves: rank correlation of EL2N between halves of the seeds. auroc: by which EL2N tells changed labels. dense: mean
    test error of the dense networks; density: the lowest at which a pruned level matches them. holds, fails: claims.
    reliability: of ``analysis.reliability``; found: of ``register.findings``.
    """
    diet, tickets = results.diet, results.tickets
    keep = nearest_to_half(diet, "random")
    numbers: dict[str, float | None] = {"full": _mean(diet.accuracies("full"))}
    for name, method in (("el2n", diet.top("el2n")), ("random", "random")):
        numbers[name] = None if method is None or keep is None else _mean(diet.accuracies(method, keep))
    numbers["halves"] = halves_at(reliability, diet.epoch).get("el2n")
    numbers["auroc"] = found["D8"]["effect"]
    matching = [tickets.density(name) for name in tickets.levels if tickets.matches(name)]
    numbers["dense"] = _mean(tickets.of_level(DENSE))
    numbers["density"] = min(matching, default=None)
    verdicts = [entry["verdict"] for entry in found.values()]
    numbers |= {"holds": verdicts.count(HOLDS), "fails": verdicts.count(FAILS)}
    return {name: round(number, DIGITS) for name, number in numbers.items() if number is not None}


def _mean(percent: Any) -> float | None:
    return float(percent.mean()) / 100 if len(percent) else None
