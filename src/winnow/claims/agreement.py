"""How far rankings agree, with an interval over seeds: of D4, and of every score at every epoch."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winnow.analysis.reliability import spearman
from winnow.claims.intervals import Estimate, jackknife, on_scale_of
from winnow.claims.rules import CONFIDENCE
from winnow.scores.aggregate import mean_and_stderr
from winnow.scores.seed_scores import SeedScores

REFERENCES = ("forgetting", "input_norm")  # with which every score is compared


def agreement(a: np.ndarray, b: np.ndarray) -> Estimate:
    """Spearman's rank correlation between the means over seeds of two scores, float [seeds, n], by the jackknife of
    Fisher's z. NaN, of an image that a seed has not trained on, does not count."""

    def z(seeds: np.ndarray) -> float:
        rank_correlation = spearman(*(mean_and_stderr(values[seeds])[0] for values in (a, b)))
        return float(np.arctanh(np.clip(rank_correlation, -0.999999, 0.999999)))

    return on_scale_of(np.tanh, jackknife(z, len(a)))


def agreement_table(scores: Mapping[str, SeedScores]) -> pd.DataFrame:
    """The agreement of every score, at each of its epochs, with the last forgetting scores there are, and with the norm
    of the input: of those of REFERENCES that were computed.

    Returns reference, reference_epoch, score, epoch (-1 for a score without one), spearman, low, high (a 95% interval
    over seeds, NaN for one seed) and seeds. A score that is the same for all images has no ranking, and no row.
    """
    rows = []
    for reference in [name for name in REFERENCES if name in scores]:
        other = scores[reference]
        for name, score in scores.items():
            for i, epoch in enumerate(score.epochs):
                if (name, epoch) != (reference, other.epochs[-1]):
                    ours, theirs = of_same_seeds(score, other)
                    found = agreement(ours[:, i], theirs[:, -1])(CONFIDENCE)
                    about = (reference, other.epochs[-1], name, epoch)
                    rows.append((*about, found.effect, found.low, found.high, len(ours)))
    columns = ["reference", "reference_epoch", "score", "epoch", "spearman", "low", "high", "seeds"]
    return pd.DataFrame(rows, columns=columns).dropna(subset=["spearman"])


def of_same_seeds(score: SeedScores, other: SeedScores) -> tuple[np.ndarray, np.ndarray]:
    """The values of two scores, [seeds, epochs, n], of the seeds that have both. If none has, those of the first seeds
    of either, as many as both have."""
    both = [seed for seed in score.seeds if seed in other.seeds]
    if not both:
        count = min(len(score.seeds), len(other.seeds))
        return score.values[:count], other.values[:count]
    ours, theirs = (found.values[[found.seeds.index(seed) for seed in both]] for found in (score, other))
    return ours, theirs
