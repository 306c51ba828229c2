"""Effects with their intervals. All but those of counts are over seeds: what other seeds on the same data would give.

An interval is a function of the confidence, so that a claim that makes many comparisons can ask for wider ones.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, stdtrit

from winnow.analysis.comparison import welch_interval


@dataclass(frozen=True)
class Interval:
    """An effect and the ends of its interval, which are nan where there is no spread to tell them from."""

    effect: float
    low: float
    high: float


Estimate = Callable[[float], Interval]  # of the confidence, such as 0.95


def difference(a: np.ndarray, b: np.ndarray) -> Estimate:
    """Of the means of independent values, by Welch's interval."""
    return lambda confidence: Interval(float(a.mean() - b.mean()), *welch_interval(a, b, confidence))


def mean(values: np.ndarray) -> Estimate:
    """Of the values of the seeds, or of their differences in pairs, by Student's interval; without spread it is the
    mean alone."""
    middle = float(np.mean(values)) if len(values) else math.nan

    def interval(confidence: float) -> Interval:
        if len(values) < 2:
            return Interval(middle, math.nan, math.nan)
        half = stdtrit(len(values) - 1, (1 + confidence) / 2) * np.std(values, ddof=1) / math.sqrt(len(values))
        return Interval(middle, float(middle - half), float(middle + half))

    return interval


def share(count: int, total: int) -> Estimate:
    """Of a count, as a fraction of the total (above 0), by the exact interval of Clopper and Pearson (1934)."""

    def interval(confidence: float) -> Interval:
        tail = (1 - confidence) / 2
        low = betaincinv(count, total - count + 1, tail) if count else 0.0
        high = betaincinv(count + 1, total - count, 1 - tail) if count < total else 1.0
        return Interval(count / total, float(low), float(high))

    return interval


def jackknife(statistic: Callable[[np.ndarray], float], seeds: int) -> Estimate:
    """Of a statistic of the mean over seeds, by Tukey's jackknife: Student's interval of the pseudo-values that leave
    out one seed each (Efron and Tibshirani 1993, ch. 11).

    statistic: of row numbers of seeds, at the scale where its errors are about normal.
    """
    every = np.arange(seeds)
    whole = statistic(every)
    pseudo = [seeds * whole - (seeds - 1) * statistic(every[every != left_out]) for left_out in every if seeds > 1]

    def interval(confidence: float) -> Interval:
        around = mean(np.array(pseudo))(confidence)
        return Interval(whole, whole + around.low - around.effect, whole + around.high - around.effect)

    return interval


def on_scale_of(transform: Callable[[float], float], estimate: Estimate) -> Estimate:
    """An estimate, with a rising function of its numbers: such as tanh, for a correlation taken as Fisher's z."""

    def interval(confidence: float) -> Interval:
        found = estimate(confidence)
        return Interval(transform(found.effect), transform(found.low), transform(found.high))

    return interval
