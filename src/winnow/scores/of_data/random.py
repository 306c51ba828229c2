"""Random scores, the baseline of every comparison of rankings."""

import numpy as np

from winnow.scores.runs import EarlyRuns
from winnow.streams import numpy_stream


def random(runs: EarlyRuns) -> np.ndarray:
    """Uniform in [0, 1), one draw per seed and image."""
    return np.array([numpy_stream(seed, "random_score").random(len(runs.labels), np.float32) for seed in runs.seeds])
