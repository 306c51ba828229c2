"""Scores of dense networks beside pruned ones."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from winnow import methods
from winnow.scores.families import OF_CUTS
from winnow.scores.seed_scores import NO_EPOCH, SeedScores
from winnow.storage import load_tensors


def of_cuts(name: str, levels: Sequence[Path]) -> SeedScores:
    """A score of every seed's networks, the mean over the levels, at least one. Each level is the folder of its
    outputs: ``seed<s>.safetensors`` with ``dense`` and ``cut``, float32 [n, classes], as the stage compression writes
    them."""
    score = methods.find(OF_CUTS, name)
    seeds = sorted(int(path.stem.removeprefix("seed")) for path in levels[0].iterdir())
    values = []
    for seed in seeds:
        kept = (load_tensors(level / f"seed{seed}.safetensors") for level in levels)
        values.append(np.mean([score(own["dense"], own["cut"]) for own in kept], axis=0))
    return SeedScores(np.array(values, np.float32)[:, None], seeds, [NO_EPOCH])
