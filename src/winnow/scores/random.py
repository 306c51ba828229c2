"""A score without meaning, the baseline of every comparison of rankings."""

import numpy as np

from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import NO_EPOCH, SeedScores
from winnow.streams import numpy_stream


def compute(runs: EarlyRuns) -> SeedScores:
    """Uniform in [0, 1), one draw per seed and image."""
    values = [numpy_stream(seed, "random_score").random((1, len(runs.labels)), np.float32) for seed in runs.seeds]
    return SeedScores(np.array(values), runs.seeds, [NO_EPOCH])
