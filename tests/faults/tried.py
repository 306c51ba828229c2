"""Trials: each tries one fault, by the numbers of its own seed, and says what happened."""

import re
import shutil
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random


class Lost(Exception):
    """What must not happen after a fault, in words."""


MOST = 300  # characters in the table


@dataclass(frozen=True)
class Trial:
    """A fault to try. ``do`` gets numbers of chance and an empty folder; it returns what happened, in words, or raises
    Lost. row: of the table, for several trials."""

    kind: str
    number: int
    row: str
    what: str
    do: Callable[[Random, Path], str]


@dataclass(frozen=True)
class Tried:
    trial: Trial
    happened: str
    survived: bool


def try_all(trials: Sequence[Trial], seed: int, box: Path, jobs: int = 2) -> Iterator[Tried]:
    """Try them, some at once, each below ``box``. What is lost keeps its folder there."""

    def one(trial: Trial) -> Tried:
        own = box / f"{trial.kind}-{trial.number}"
        own.mkdir(parents=True)
        try:
            done = Tried(trial, trial.do(Random(f"{seed} {trial.kind} {trial.number}"), own), True)
        except Lost as error:
            return Tried(trial, f"LOST: {error}", False)
        except Exception:
            return Tried(trial, f"LOST: {traceback.format_exc()}", False)
        shutil.rmtree(own, ignore_errors=True)
        return done

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(one, trials)


def table(tried: Iterable[Tried]) -> list[str]:
    """A table in Markdown: what was tried, how often, how often it was survived, and what happened."""
    groups: dict[tuple[str, str], list[Tried]] = {}
    for one in tried:
        groups.setdefault((one.trial.kind, one.trial.row), []).append(one)
    lines = ["| kind | what was tried | times | survived | what happened |", "| --- | --- | ---: | ---: | --- |"]
    for (kind, what), ones in groups.items():
        counts = Counter(re.sub(r"\s+", " ", one.happened)[:MOST] for one in ones)
        happened = "; ".join(f"{text} ({count})" if len(ones) > 1 else text for text, count in counts.most_common())
        survived = sum(one.survived for one in ones)
        lines.append(f"| {kind} | {what} | {len(ones)} | {survived} | {happened.replace('|', '/')} |")
    return lines


def totals(tried: Iterable[Tried]) -> list[str]:
    counts: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    for one in tried:
        counts[one.trial.kind] += 1
        survived[one.trial.kind] += one.survived
    return [f"- {kind}: {survived[kind]} of {count} survived" for kind, count in counts.items()]
