"""From effects with intervals to a verdict: holds, does not hold, or cannot tell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from winnow.claims.intervals import Estimate, Interval

HOLDS, FAILS, CANNOT_TELL = "holds", "does not hold", "cannot tell"
NOT_COMPUTED = "not computed"  # a parameter would compute what the claim needs
VERDICTS = (HOLDS, FAILS, CANNOT_TELL, NOT_COMPUTED)
CONFIDENCE = 0.95
ALL, ANY = (FAILS, CANNOT_TELL, HOLDS), (HOLDS, CANNOT_TELL, FAILS)  # the verdicts, the decisive one first
SHOWN = 4  # comparisons that a sentence can hold


@dataclass(frozen=True)
class Finding:
    """A verdict, why in one sentence, and the effect that decides it, with its interval (None where there is none)."""

    verdict: str
    why: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Comparison:
    """What a claim says of one effect: that it is above a number.

    It holds if the whole interval lies above ``above``. Else it does not hold if the whole interval lies below
    ``below``, which is the smallest effect worth the name, or ``above`` itself where a claim has none. Else, at the
    borders too, the data cannot tell.
    """

    what: str  # in words, such as "el2n minus random at 0.5 kept"
    estimate: Estimate
    above: float = 0.0
    below: float | None = None

    def verdict(self, interval: Interval) -> str:
        if interval.low > self.above:
            return HOLDS
        return FAILS if interval.high < (self.above if self.below is None else self.below) else CANNOT_TELL

    def slack(self, effect: float) -> float:
        """How far an effect is on the side of the claim."""
        return effect - self.above


@dataclass(frozen=True)
class Near:
    """What a claim says of one effect: that it is near 0.

    It holds if the whole interval lies within ``tolerance`` of 0, and does not hold if it lies outside on one side.
    """

    what: str
    estimate: Estimate
    tolerance: float

    def verdict(self, interval: Interval) -> str:
        if interval.low > -self.tolerance and interval.high < self.tolerance:
            return HOLDS
        return FAILS if interval.low > self.tolerance or interval.high < -self.tolerance else CANNOT_TELL

    def slack(self, effect: float) -> float:
        return self.tolerance - abs(effect)


Part = Comparison | Near


def all_of(comparisons: Sequence[Part], unit: str, missing: Finding | None = None) -> Finding:
    """A claim that holds if all comparisons do, and does not hold if one does not; the weakest is shown.

    missing: the finding of a part for which there is nothing to compare. Then the claim cannot hold yet.
    """
    if not comparisons and missing:
        return missing
    total = len(comparisons)
    return _beside(missing, _noted(_combined(comparisons, unit, ALL, weakest=True, total=total), total))


def any_of(comparisons: Sequence[Part], unit: str) -> Finding:
    """A claim that holds if one comparison does, and does not hold if none does; the strongest is shown."""
    return any_of_each([comparisons], unit)


def any_of_each(groups: Sequence[Sequence[Part]], unit: str, missing: Finding | None = None) -> Finding:
    """A claim that holds if ``any_of`` holds for each group of comparisons, and does not hold if it does not hold for
    one; the weakest group is shown. missing: as for ``all_of``."""
    if not groups and missing:
        return missing
    total = sum(map(len, groups))
    findings = [_combined(group, unit, ANY, weakest=False, total=total) for group in groups]
    weakest = min(findings, key=lambda found: ALL.index(found.verdict))
    return _beside(missing, _noted(replace(weakest, why="; ".join(found.why for found in findings)), total))


def _beside(missing: Finding | None, found: Finding) -> Finding:
    """What was found, though a part is missing."""
    if missing is None or found.verdict == FAILS:
        return found
    return replace(found, verdict=missing.verdict, why=f"{missing.why}. So far: {found.why}")


def _noted(found: Finding, total: int) -> Finding:
    return replace(found, why=f"{found.why} (intervals corrected for {total} comparisons)") if total > 1 else found


def _combined(comparisons: Sequence[Part], unit: str, order: Sequence[str], weakest: bool, total: int) -> Finding:
    """The first verdict in the order that a comparison has. The intervals of ``total`` comparisons, these among them,
    hold together with the usual confidence, by Bonferroni's correction."""
    confidence = 1 - (1 - CONFIDENCE) / total
    intervals = [comparison.estimate(confidence) for comparison in comparisons]
    verdicts = [comparison.verdict(interval) for comparison, interval in zip(comparisons, intervals, strict=True)]
    verdict = min(verdicts, key=order.index)
    decisive = [i for i, own in enumerate(verdicts) if own == verdict]
    chosen = (min if weakest else max)(decisive, key=lambda i: comparisons[i].slack(intervals[i].effect))
    shown = range(len(comparisons)) if len(comparisons) <= SHOWN else [chosen]
    why = "; ".join(f"{comparisons[i].what}: {in_words(intervals[i], unit)}" for i in shown)
    return _finding(verdict, why, intervals[chosen], unit)


def _finding(verdict: str, why: str, interval: Interval, unit: str) -> Finding:
    if math.isnan(interval.low):
        why += "; one seed has no spread, give more"
    effect, low, high = (None if math.isnan(end) else end for end in (interval.effect, interval.low, interval.high))
    return Finding(verdict, why, effect, low, high, unit)


def in_words(interval: Interval, unit: str) -> str:
    """Such as "+0.13 points [-0.70, +0.96]"."""
    ends = "" if math.isnan(interval.low) else f" [{interval.low:+.2f}, {interval.high:+.2f}]"
    return f"{interval.effect:+.2f} {unit}{ends}"


def not_computed(key: str, what: str) -> Finding:
    """The finding of a claim, of which a change of params.yaml would compute what it needs: the key, and what to give
    it."""
    return Finding(NOT_COMPUTED, f"{key}: {what}")


def cannot_tell(why: str) -> Finding:
    return Finding(CANNOT_TELL, why)
