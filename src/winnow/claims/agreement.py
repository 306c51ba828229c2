"""How far rankings agree, with an interval over seeds: of D4, and of every score at every epoch."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winnow.analysis.reliability import Rankings, correlation, rankings
from winnow.claims.intervals import Estimate, jackknife, on_scale_of
from winnow.claims.rules import CONFIDENCE
from winnow.scores.seed_scores import SeedScores

REFERENCES = ("forgetting", "input_norm")  # with which every score is compared


def agreement(a: np.ndarray, b: np.ndarray) -> Estimate:
    """Spearman's rank correlation between the means over seeds of two scores, float [seeds, n], by the jackknife of
    Fisher's z. NaN, of an image that a seed has not trained on, does not count."""
    every = list(range(len(a)))
    return _agreement(rankings(a), rankings(b), every, every)


def _agreement(a: Rankings, b: Rankings, of_a: list[int], of_b: list[int]) -> Estimate:
    """The same of the seeds at these places."""

    def z(seeds: np.ndarray) -> float:
        found = correlation(a([of_a[seed] for seed in seeds]), b([of_b[seed] for seed in seeds]))
        return float(np.arctanh(np.clip(found, -0.999999, 0.999999)))

    return on_scale_of(np.tanh, jackknife(z, len(of_a)))


def agreement_table(scores: Mapping[str, SeedScores]) -> pd.DataFrame:
    """The agreement of every score, at each of its epochs, with the last forgetting scores there are, and with the norm
    of the input: of those of REFERENCES that were computed.

    Returns reference, reference_epoch, score, epoch (-1 for a score without one), spearman, low, high (a 95% interval
    over seeds, NaN for one seed) and seeds. A score that is the same for all images has no ranking, and no row.
    """
    references = {name: (scores[name], rankings(scores[name].values[:, -1])) for name in REFERENCES if name in scores}
    rows = []
    for name, score in scores.items():
        for i, epoch in enumerate(score.epochs):
            ranked = rankings(score.values[:, i])
            for place, (reference, (other, ranked_other)) in enumerate(references.items()):
                if (name, epoch) != (reference, other.epochs[-1]):
                    ours, theirs = same_seeds(score, other)
                    found = _agreement(ranked, ranked_other, ours, theirs)(CONFIDENCE)
                    about = (reference, other.epochs[-1], name, epoch)
                    rows.append((place, *about, found.effect, found.low, found.high, len(ours)))
    rows.sort(key=lambda row: row[0])  # by reference
    columns = ["reference", "reference_epoch", "score", "epoch", "spearman", "low", "high", "seeds"]
    return pd.DataFrame([row[1:] for row in rows], columns=columns).dropna(subset=["spearman"])


def same_seeds(score: SeedScores, other: SeedScores) -> tuple[list[int], list[int]]:
    """The places in both of the seeds that have two scores. If none has, those of the first seeds of either, as many as
    both have."""
    both = [seed for seed in score.seeds if seed in other.seeds]
    if not both:
        first = list(range(min(len(score.seeds), len(other.seeds))))
        return first, first
    return [score.seeds.index(seed) for seed in both], [other.seeds.index(seed) for seed in both]
