"""Made-up results of levels, whose verdicts are known."""

import pandas as pd

from winnow.analysis.matching import epsilon
from winnow.analysis.verdicts import verdicts
from winnow.params.pruning import Level

DENSE_ERRORS = (0.10, 0.11, 0.12)
BAR = epsilon(DENSE_ERRORS)  # 0.035
LEVELS = {
    "l1": Level(parent="dense", rewind="dense", data="full", prune=0.5),
    "l2": Level(parent="l1", rewind="dense", data="full", prune=0.5),
    "l3": Level(parent="l2", rewind="dense", data="full", prune=0.5),
    "c1": Level(parent="l1", rewind="dense", data="full", variant="trial", prune=0.8),
    "r1": Level(parent="l1", rewind="dense", data="full", variant="random"),
}
LEFT = {"dense": 1.0, "l1": 0.5, "l2": 0.25, "l3": 0.125, "c1": 0.1, "r1": 0.5}
ERROR = {"dense": 0.0, "l1": 0.01, "l2": 0.03, "l3": 0.05, "c1": 0.2, "r1": 0.3}  # above the dense error
BARRIER = {"l1": 0.0, "l2": 0.02, "l3": 0.04, "c1": 0.3, "r1": 0.4}  # to the parent


def results() -> pd.DataFrame:
    """Replicates in another order than those of dense, with rows of the training part that must not count."""
    rows = []
    for name, above in ERROR.items():
        level = LEVELS.get(name)
        about = (level.parent, level.kind) if level else ("", "dense")
        for seed in (0, 1, 2) if name == "dense" else (2, 0, 1):
            for split, error in (("train", 0.9), ("test", DENSE_ERRORS[seed] + above)):
                rows.append((name, *about, "dense", "full", seed, split, LEFT[name], error, 3 * error))
    columns = ["level", "parent", "variant", "rewind", "data", "seed", "split", "density", "error", "loss"]
    return pd.DataFrame(rows, columns=columns)


def between() -> pd.DataFrame:
    """Barriers whose mean over the replicates of the test part are those of BARRIER; those to dense are twice as high
    where dense is not the parent."""
    pairs = {(level.parent, name): BARRIER[name] for name, level in LEVELS.items()}
    pairs |= {("dense", name): 2 * BARRIER[name] for name, level in LEVELS.items() if level.parent != "dense"}
    rows = [
        (a, b, seed, split, barrier * scale if split == "test" else 0.9)
        for (a, b), barrier in pairs.items()
        for seed, scale in enumerate((0.5, 1.5, 1.0))
        for split in ("train", "test")
    ]
    return pd.DataFrame(rows, columns=["a", "b", "seed", "split", "barrier"])


TABLE = verdicts(results(), between())
