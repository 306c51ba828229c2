"""What an experiment has found, as the claims ask for it. Either half may be empty. Errors and accuracies are in
percent, and what is compared of them in points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from winnow.params.dense import NAME as DENSE
from winnow.params.presets import PRESETS
from winnow.params.pruning import Level, Rewind, line
from winnow.scores.seed_scores import SeedScores
from winnow.selection.choices import Choice

SAME = 0.02  # relative: densities that differ by less are one
UNPRUNED = PRESETS["dense"].choices
LEAST = 0.5  # points of accuracy: a smaller difference is not worth the name …
LEAST_OF_ERROR = 0.1  # … nor is one smaller than this fraction of the error with all data


@dataclass(frozen=True)
class Diet:
    """The half about images.

    accuracy: of the stage compare, a row for each network and split. methods: of select and sweep. epoch: of the scores
    of these, where they name none. scores: el2n, forgetting and grand, of every seed, those that were computed.
    changed: whether each image's label was changed, bool [n]. suspects_epoch: at which changed labels are looked for.
    velocities: the table of scores.velocity, all seeds. full_length: of the scored networks' whole training.
    transferred: whether the scores come from another network, or from another way of training, than what is retrained.
    sources: of transfer.sources, those of which the same is true.
    """

    accuracy: pd.DataFrame
    methods: Mapping[str, Choice]
    epoch: int
    scores: Mapping[str, SeedScores]
    changed: np.ndarray
    velocities: pd.DataFrame
    suspects_epoch: int
    full_length: str
    transferred: bool
    sources: Sequence[str] = ()

    def top(self, score: str, epoch: int | None = None, source: str | None = None) -> str | None:
        """The method that keeps the images of the highest score at an epoch; by default of one after the first steps,
        select.epoch if there is one. source: by the score of that source."""
        found = {
            name: choice.options["epoch"]
            for name, choice in self.methods.items()
            if self.is_ranked(choice, score, source) and choice.options["window"] is None
        }
        wanted = [name for name, own in found.items() if (own > 0 if epoch is None else own == epoch)]
        return min(wanted, key=lambda name: found[name] != self.epoch, default=None)

    def of_one_network(self, method: str) -> list[str]:
        """The methods that choose as this one of ``top`` does, but by the scores of a single network."""
        wanted = {**self.methods[method].options, "seeds": 1}
        found = {name: choice.options for name, choice in self.methods.items() if choice.method == "ranked"}
        return [name for name, options in found.items() if {**options, "group": wanted["group"]} == wanted]

    @staticmethod
    def is_ranked(choice: Choice, score: str, source: str | None = None) -> bool:
        """Whether a method ranks all images, of every class together, by the mean of a score over all seeds; of this
        source, if one is given."""
        options = choice.options
        asked = {"score": score, "source": source, "per_class": False, "seeds": None}
        return choice.method == "ranked" and asked.items() <= options.items()

    @property
    def fractions(self) -> dict[float, float]:
        """The values of select.keep and sweep.keep, and the fraction of all images that each is; the largest first."""
        table = self.accuracy[self.accuracy["method"] != "full"]
        found = table.groupby(table["keep"].astype(float))["fraction"].first().sort_values(ascending=False)
        return dict(zip(found.index.tolist(), found.tolist(), strict=True))

    def keeps(self, low: float, high: float, *methods: str) -> list[float]:
        """Those between two fractions of all images, at which there are all of these methods; the largest first."""
        between = [keep for keep, fraction in self.fractions.items() if low <= fraction <= high]
        return [keep for keep in between if all(self.has(method, keep) for method in methods)]

    def has(self, method: str, keep: float) -> bool:
        """Whether networks were trained on the subset that a method chooses at this keep."""
        return len(self.accuracies(method, keep)) > 0

    def accuracies(self, method: str, keep: float = 1.0, split: str = "test") -> np.ndarray:
        """In percent, of all seeds; of all data its method is full."""
        table = self.accuracy
        of_keep = (table["method"] == method) & (table["keep"].astype(float) == keep)
        rows = table[of_keep & (table["split"] == split)].sort_values("seed")
        return 100 * rows["accuracy"].to_numpy(float)

    @property
    def margin(self) -> float:
        """The smallest difference between accuracies that is worth the name, in points."""
        return min(LEAST, LEAST_OF_ERROR * (100 - float(self.accuracies("full").mean())))


@dataclass(frozen=True)
class Tickets:
    """The half about weights: the tables of the stage tickets, by the names of their files.

    results: a row for each network and split. children: a row for each step at which two children part (at), seed and
    subset of the images. levels: of pruning.levels. rewinds: of pruning.rewinds, and dense. rewind_steps: the same in
    steps.
    """

    results: pd.DataFrame
    verdicts: pd.DataFrame
    pairs: pd.DataFrame
    barriers: pd.DataFrame
    perturbed: pd.DataFrame
    curvature: pd.DataFrame
    measured_cuts: pd.DataFrame
    cut_limits: pd.DataFrame
    children: pd.DataFrame
    levels: Mapping[str, Level]
    rewinds: Mapping[str, Rewind]
    rewind_steps: Mapping[str, int]

    @property
    def epsilon(self) -> float:
        """By how many points an error may be above the dense one's and still match; nan if that cannot be told."""
        return 100 * float(self.verdicts["epsilon"].iloc[0]) if len(self.verdicts) else float("nan")

    def of_level(self, level: str, column: str = "error") -> np.ndarray:
        """A column of the results on the test split, in percent, of the seeds in their order."""
        table = self.results
        rows = table[(table["level"] == level) & (table["split"] == "test")].sort_values("seed")
        return 100 * rows[column].to_numpy(float)

    def barriers_between(self, parent: str, level: str) -> np.ndarray:
        """In points of the test error, of the seeds in their order."""
        table = self.barriers
        chosen = (table["a"] == parent) & (table["b"] == level) & (table["split"] == "test")
        return 100 * table.loc[chosen].sort_values("seed")["barrier"].to_numpy(float)

    def of_children(self, subset: str, column: str = "barrier") -> np.ndarray:
        """Between two children, on a subset of the images: float [seeds, steps], in percent, both rising."""
        rows = self.children[self.children["subset"] == subset]
        return 100 * rows.pivot(index="seed", columns="at", values=column).to_numpy(float)

    def verdict(self, level: str, column: str) -> Any:
        """What the table of verdicts says of a level."""
        return self.verdicts.set_index("level").at[level, column]

    def matches(self, level: str) -> bool:
        return bool(self.verdict(level, "matching"))

    def density(self, level: str) -> float:
        return float(self.verdict(level, "density"))

    def same_density(self, one: str, other: str) -> bool:
        return abs(self.density(one) / self.density(other) - 1) < SAME

    def cuts(self, level: str) -> list[str]:
        """The levels that prune on the way from dense networks to this one, the first first; none if one of them does
        another thing than to prune, rewind and train, at one rewind point and on the same data."""
        above = line(self.levels, level)
        steps = [name for name in above if name in self.levels and self.levels[name].choices != UNPRUNED]
        own = self.levels[level]
        alike = all(
            self.levels[name].is_step and (self.levels[name].rewind, self.levels[name].data) == (own.rewind, own.data)
            for name in steps
        )
        return steps if alike and above[0] == DENSE else []

    def way(self, level: str) -> tuple[Any, ...]:
        """How a level chooses the weights that it prunes, its amounts aside."""
        own = self.levels[level]
        return own.choices, tuple(sorted(own.options.items()))


@dataclass(frozen=True)
class Results:
    diet: Diet
    tickets: Tickets
