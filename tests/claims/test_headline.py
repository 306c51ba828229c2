"""The headline numbers, against made-up results."""

import numpy as np
import pandas as pd

from tests.claims.made_up import diet, level, seed_scores, tickets, with_diet
from winnow.claims.headline import headline
from winnow.claims.register import findings
from winnow.claims.results import Results

COLUMNS = ["score", "epoch", "seeds", "spearman"]
RELIABILITY = pd.DataFrame([("el2n", 4, 1, 0.3), ("el2n", 4, 2, 0.61234567), ("el2n", 8, 2, 0.9)], columns=COLUMNS)
LEVELS = {"l1": level("dense"), "l2": level("l1"), "l3": level("l2")}
SHORT = 7  # characters of a name


def test_every_number_that_there_is():
    accuracy = {("el2n", 0.5): 97.0, ("el2n", 0.1): 40.0, ("random", 0.5): 96.0, ("random", 0.1): 80.0}
    half = diet(
        {**accuracy, ("full", 1.0): 98.0},
        scores={"el2n": seed_scores(np.array([[0.0, 1, 2, 3], [0.0, 1, 2, 3]]))},
        changed=np.array([False, False, True, True]),
    )
    results = Results(half, tickets(LEVELS, {"l1": 0.0, "l2": 0.1, "l3": 5.0}))
    found = findings(results)
    numbers = headline(results, RELIABILITY, found)
    assert numbers == {
        "full": 0.98, "el2n": 0.97, "random": 0.96, "halves": 0.6123, "auroc": 1.0, "dense": 0.022, "density": 0.25,
        "holds": [entry["verdict"] for entry in found.values()].count("holds"),
        "fails": [entry["verdict"] for entry in found.values()].count("does not hold"),
    }  # fmt: skip
    assert numbers["holds"] >= 2
    assert max(map(len, numbers)) <= SHORT


def test_numbers_that_there_are_not_are_left_out():
    results = with_diet(diet())
    numbers = headline(results, pd.DataFrame(columns=COLUMNS), findings(results))
    assert numbers == {"dense": 0.022, "holds": 0, "fails": 0}
