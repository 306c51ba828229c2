"""The schema of all of params.yaml, and the checks of one section against another."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from winnow import methods
from winnow.datasets.build import SOURCES
from winnow.params.aggregate import Aggregate
from winnow.params.base import as_yaml, read_yaml, validate
from winnow.params.dense import NAME as DENSE
from winnow.params.dense import Dense
from winnow.params.download import Download, Labels
from winnow.params.early import Early, Score
from winnow.params.figures import Figures
from winnow.params.landscape import Connectivity, Curvature, Perturbation, Perturbed, Spawn
from winnow.params.named import Named, load_named
from winnow.params.ntk import Ntk
from winnow.params.pruning import Pruning, check_tree
from winnow.params.retrain import Retrain
from winnow.params.select import Select
from winnow.params.sweep import Sweep
from winnow.params.transfer import Transfer
from winnow.scores.families import OF_DATA, OF_FILES, OF_GRADIENTS, OF_OUTPUTS, OF_PARTS, OF_RECORDS
from winnow.selection.choices import Choice, all_choices, all_subsets
from winnow.selection.choose import method
from winnow.tickets.rules import rule_of
from winnow.training import choosing


class Params(Named):
    """All of params.yaml."""

    download: Download
    labels: Labels
    early: Early
    score: Score
    aggregate: Aggregate
    ntk: Ntk
    transfer: Transfer
    select: Select
    sweep: Sweep
    retrain: Retrain
    dense: Dense
    pruning: Pruning
    connectivity: Connectivity
    spawn: Spawn
    perturbation: Perturbation
    curvature: Curvature
    figures: Figures

    @model_validator(mode="after")
    def _methods(self) -> Self:
        """Check that the methods named by the sections exist."""
        if self.download.source not in methods.names(SOURCES):
            there = ", ".join(methods.names(SOURCES))
            raise ValueError(f"download.source: must be one of {there}, not {as_yaml(self.download.source)}")
        of_files = [name for family in OF_FILES for name in methods.names(family)]
        of_gradients = methods.names(OF_GRADIENTS)
        keys = (("scores", of_files, "gradients", of_gradients), ("gradients", of_gradients, "scores", of_files))
        for key, here, other, others in keys:
            for score in getattr(self.score, key):
                if score in others:
                    raise ValueError(f"score.{key}: {score} does not belong here: list it under score.{other}")
                if score not in here:
                    also = f"and under score.{other} {', '.join(others)}"
                    raise ValueError(f"score.{key}: unknown score {score!r}; there are {', '.join(here)}, {also}")
        return self

    @model_validator(mode="after")
    def _parts(self) -> Self:
        """Check that scores of networks trained on parts of the images have such networks."""
        asked = [name for name in self.score.scores if name in methods.names(OF_PARTS)]
        on_parts = {name: cohort for name, cohort in self.early.cohorts.items() if cohort.on_parts}
        if asked and not on_parts:
            raise ValueError(
                f"score.scores: {asked[0]} needs networks that trained on parts of the images: give a cohort of "
                "early.cohorts folds or a share, such as {m: {seeds: [10, 11, 12, 13], share: 0.7}}"
            )
        for name, cohort in on_parts.items():
            if asked and len(cohort.seeds) == 1:
                raise ValueError(
                    f"early.cohorts.{name}: has one seed, so every image is in its part or in none, and "
                    f"{asked[0]} compares the two; give more seeds"
                )
        return self

    @model_validator(mode="after")
    def _across_sections(self) -> Self:
        """Check that the scores and epochs for selection are computed, and that retraining has seeds of its own."""
        epochs = ", ".join(map(str, self.early.epochs))
        for name, choice in all_choices(self.select, self.sweep).items():
            self._selected_by("select.methods" if name in self.select.methods else "sweep.methods", name, choice)
        self._swept()
        suspects = self.aggregate.suspects_epoch
        if suspects is not None and suspects not in self.early.epochs:
            raise ValueError(f"aggregate.suspects_epoch: {suspects} is not scored; early.epochs has {epochs}")
        self._neighbours()
        self._on_subsets()
        self._sources()
        self._visits()
        shared = sorted(set(self.retrain.seeds) & {s for cohort in self.early.cohorts.values() for s in cohort.seeds})
        if shared:
            raise ValueError(f"retrain.seeds: {shared[0]} is a seed of early.cohorts too; retraining needs fresh ones")
        return self

    def _neighbours(self) -> None:
        """What groups of neighbouring images are made by is computed, and their kernels' networks are kept."""
        computed = [*self.score.scores, *self.score.gradients]
        if self.ntk.score not in computed:
            raise ValueError(f"ntk.score: {self.ntk.score} is not computed; score has {', '.join(computed)}")
        if self.ntk.score == "forgetting" and self.early.epochs == [0]:
            raise ValueError("ntk.score: forgetting is counted from epoch 1 on, but early.epochs ends at 0")
        for epoch in self.ntk.epochs or []:
            if epoch not in self.early.epochs[:-1]:
                there = ", ".join(map(str, self.early.epochs))
                raise ValueError(f"ntk.epochs: {epoch} has no later epoch to compare with; early.epochs has {there}")

    def _on_subsets(self) -> None:
        """What ranks the images on which children are compared is computed."""
        subsets, computed = self.connectivity.subsets, [*self.score.scores, *self.score.gradients]
        if not (subsets.images and self.spawn.at):
            return
        if subsets.score not in computed:
            there = ", ".join(computed)
            raise ValueError(f"connectivity.subsets.score: {subsets.score} is not computed; score has {there}")
        if subsets.epoch is not None and subsets.epoch not in self.early.epochs:
            there = ", ".join(map(str, self.early.epochs))
            raise ValueError(f"connectivity.subsets.epoch: {subsets.epoch} is not scored; early.epochs has {there}")

    def _swept(self) -> None:
        """Check that no subset of sweep is one of select, and that all have a random subset to be compared with."""
        for keep in self.sweep.keep:
            for name in self.sweep.methods:
                if name in self.select.methods and keep in self.select.keep:
                    raise ValueError(f"sweep: select has {name} at {keep} already; take one of them out of sweep")
        for keep in self.sweep.keep if self.sweep.methods else []:
            if keep not in self.select.keep and "random" not in self.sweep.methods:
                raise ValueError(
                    f"sweep.keep: {keep} has no random subset to compare with; add random to sweep.methods, or {keep} "
                    "to select.keep"
                )

    def _sources(self) -> None:
        """Every source of transfer has seeds of its own, and a training that is long enough."""
        owner = {seed: f"early.cohorts.{name}" for name, own in self.early.cohorts.items() for seed in own.seeds}
        owner |= dict.fromkeys(self.retrain.seeds, "retrain.seeds")
        for name, source in self.transfer.sources.items():
            key = f"transfer.sources.{name}"
            for seed in source.seeds:
                if seed in owner:
                    raise ValueError(f"{key}.seeds: {seed} is a seed of {owner[seed]} too; give new ones")
            owner |= dict.fromkeys(source.seeds, key)
            count, unit = source.training.length.split()
            if unit.startswith("epoch") and self.early.epochs[-1] > int(count):
                last = f"early.epochs ends at {self.early.epochs[-1]}"
                raise ValueError(f"{key}.training: its length is {source.training.length}, but {last}")

    def _visits(self) -> None:
        """The trainings that choose as they go have names of their own, and their methods and options exist."""
        taken = {"full", "random", *all_subsets(self.select, self.sweep), *self.select.methods, *self.sweep.methods}
        for name, values in self.retrain.visits.items():
            if name in taken:
                raise ValueError(
                    f"retrain.visits: {name} is the name of a subset or of a selection method; take another"
                )
            choosing.check(name, values)

    def _of_source(self, key: str, name: str, score: str, source: str) -> None:
        """Check that a source has the score that a selection method takes from it."""
        if source not in self.transfer.sources:
            there = ", ".join(self.transfer.sources) or "none yet"
            raise ValueError(f"{key}: {name!r}: {source} is not in transfer.sources; there are {there}")
        known = [known for family in (OF_OUTPUTS, *OF_RECORDS) for known in methods.names(family)]
        if score not in known:
            raise ValueError(f"{key}: {name!r}: sources do not have {score}; they have {', '.join(known)}")

    def _selected_by(self, key: str, name: str, choice: Choice) -> None:
        """Check that early and score keep what a selection method of this key needs."""
        score, epoch = choice.options.get("score", "random"), choice.options.get("epoch")
        of_visits = [name for family in OF_RECORDS for name in methods.names(family)]
        of_parts = methods.names(OF_PARTS)
        of_epochs = [*methods.names(OF_OUTPUTS), *of_visits, *of_parts, *methods.names(OF_GRADIENTS)]
        known = [*of_epochs, *methods.names(OF_DATA)]
        if score not in known:
            raise ValueError(f"{key}: {name!r}: unknown score {score!r}; there are {', '.join(known)}")
        if score not in [*self.score.scores, *self.score.gradients, "random"]:
            section = "gradients" if score in methods.names(OF_GRADIENTS) else "scores"
            raise ValueError(f"{key}: {name!r} needs {score}: add it to score.{section}")
        if choice.options.get("source") is not None:
            if choice.options.get("seeds") is not None:
                raise ValueError(f"{key}: {name!r}: seeds are of early.cohorts, not of a source: leave one of them out")
            self._of_source(key, name, score, choice.options["source"])
        if score not in of_epochs and {"score", "epoch"} <= choice.given:
            raise ValueError(f"{key}: {name!r}: {score} does not change with training, so it has no epoch")
        if score in of_epochs and epoch not in self.early.epochs:
            of = "select.epoch:" if epoch == self.select.epoch else f"{key}: {name!r}: epoch"
            there = ", ".join(map(str, self.early.epochs))
            raise ValueError(f"{of} {epoch} is not scored; early.epochs has {there}")
        if score in of_visits and epoch == 0:
            raise ValueError(f"{key}: {name!r} at epoch 0: {score} is of visits, from epoch 1 on")
        if methods.has_mark(method(choice.method), "NEEDS_FEATURES") and epoch not in self.early.features:
            raise ValueError(f"{key}: {name!r} needs the features of epoch {epoch}: add it to early.features")
        if score in of_parts and choice.options.get("seeds") is not None:
            raise ValueError(f"{key}: {name!r}: {score} is of all seeds together: leave out seeds")
        self._enough_seeds(f"{key}: {name!r}", choice, score in of_epochs)

    def _enough_seeds(self, key: str, choice: Choice, has_seeds: bool) -> None:
        """Check that early has as many seeds as a method takes the mean over, where it does not take all."""
        seeds, group = choice.options.get("seeds"), choice.options.get("group", 1)
        there = sum(len(cohort.seeds) for cohort in self.early.cohorts.values())
        if seeds is not None and not has_seeds:
            raise ValueError(f"{key}: {choice.options['score']} does not change with training, so it has no seeds")
        if seeds is not None and seeds * group > there:
            raise ValueError(f"{key} needs {seeds * group} seeds; early.cohorts has {there}")

    @model_validator(mode="after")
    def _tickets(self) -> Self:
        """Check that the levels, subsets and rewind points named by other sections exist."""
        check_tree(self.pruning)
        for name, level in self.pruning.levels.items():
            rule_of(name, level, self.pruning.floor)
        selected = list(all_subsets(self.select, self.sweep))
        subsets = ["full", *(f"select/{name}" for name in selected)]
        trained_on = {f"pruning.levels.{name}.data": level.data for name, level in self.pruning.levels.items()}
        trained_on |= {f"pruning.rewinds.{name}.data": rewind.data for name, rewind in self.pruning.rewinds.items()}
        for key, data in trained_on.items():
            if data in selected:
                raise ValueError(f"{key}: {data} lies in the folder select: write select/{data}")
            if data not in subsets:
                raise ValueError(f"{key}: {data} is not a subset that is selected; there are {', '.join(subsets)}")
        if self.pruning.levels and not self.dense.seeds:
            raise ValueError("dense.seeds: is empty, but pruning.levels has levels; give seeds, such as [200, 201]")
        levels = [DENSE, *self.pruning.levels]
        named = {"connectivity.matrix": self.connectivity.matrix, "curvature.levels": self.curvature.levels}
        for key, names in named.items():
            for name in names:
                if name not in levels:
                    raise ValueError(f"{key}: {name} is no level; there are {', '.join(levels)}")
            if len(set(names)) != len(names):
                raise ValueError(f"{key}: names a level twice")
        before_end = {"dense.rewind": [self.dense.rewind], "spawn.at": self.spawn.at}
        before_end |= {f"pruning.rewinds.{name}.length": [point.length] for name, point in self.pruning.rewinds.items()}
        for key, times in before_end.items():
            self._before_end(key, times)
        for name, run in self.perturbation.runs.items():
            self._perturbed(f"perturbation.runs.{name}", run, levels)
        return self

    def _before_end(self, key: str, times: list[str]) -> None:
        """Check that all times are before the end of the dense training. Stages check times in another unit."""
        end, unit = self.dense.training.length.split()
        for time in times:
            count, its_unit = time.split()
            if its_unit.rstrip("s") == unit.rstrip("s") and int(count) >= int(end):
                raise ValueError(f"{key}: {time} is not before the end of dense.training, which has {end} {unit}")

    def _perturbed(self, key: str, run: Perturbed, levels: list[str]) -> None:
        """Check that a perturbed run agrees with what pruning.levels says of its level."""
        if run.level not in levels:
            raise ValueError(f"{key}.level: {run.level} is no level; there are {', '.join(levels)}")
        level = self.pruning.levels.get(run.level)
        rewind, data = (level.rewind, level.data) if level else (DENSE, "full")
        for field, here, there in (("rewind", run.rewind, rewind), ("data", run.data, data)):
            if here != there:
                raise ValueError(f"{key}.{field}: {here}, but level {run.level} has {there}; it must be the same")
        if level and (level.choices.weights, level.choices.schedule) != ("rewind", "rest"):
            raise ValueError(f"{key}.level: {run.level} does not begin at a rewind point ({level.kind})")
        if level and level.choices.when != "once":
            raise ValueError(f"{key}.level: {run.level} does not train with one mask ({level.kind})")
        children = [  # the others have no projection, or one not chosen by pruning once
            name
            for name, child in self.pruning.levels.items()
            if child.parent == run.level and child.amount and child.choices.when == "once"
        ]
        if run.child not in children:
            there = f"there are {', '.join(children)}" if children else "it has none"
            raise ValueError(f"{key}.child: {run.child} is no level cut from {run.level}; {there}")


def load_params(path: str | Path = "params.yaml") -> Params:
    """Read and check a whole params file.

    Raises UserError, in one line that names the file and the key, if it is missing, is not YAML, or breaks the schema.
    """
    values = read_yaml(path)
    return validate(Params, values, path, named=load_named(values, path))
