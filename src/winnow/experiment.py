"""The schema of all of params.yaml, and the checks of one section against another."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from winnow import methods
from winnow.datasets.build import SOURCES
from winnow.params.aggregate import Aggregate
from winnow.params.base import as_yaml, read_yaml, validate
from winnow.params.compression import Compression
from winnow.params.dense import NAME as DENSE
from winnow.params.dense import Dense
from winnow.params.download import Download, Labels
from winnow.params.early import Early, Score
from winnow.params.figures import Figures
from winnow.params.landscape import Connectivity, Curvature, Perturbation, Perturbed, Spawn
from winnow.params.named import Named, load_named
from winnow.params.ntk import Ntk
from winnow.params.pretrain import Pretrain
from winnow.params.pruning import Level, Pruning, check_tree, line
from winnow.params.retrain import Retrain
from winnow.params.second_split import SecondSplit
from winnow.params.select import Select
from winnow.params.sweep import Sweep
from winnow.params.target import Target
from winnow.params.transfer import Transfer
from winnow.scores.families import (
    OF_ALL_SEEDS,
    OF_CUTS,
    OF_DATA,
    OF_FEATURES,
    OF_FILES,
    OF_GRADIENTS,
    OF_ONE_RUN,
    OF_PARTS,
    OF_PRETRAINED,
    OF_RECORDS,
    OF_SEEDS,
    OF_SPLITS,
    OF_TRAJECTORIES,
    OF_WHOLE_TRAININGS,
)
from winnow.scores.when import FEWEST, epochs_of
from winnow.selection.choices import Choice, all_choices, all_subsets, selected
from winnow.selection.choose import method
from winnow.selection.recipes import with_recipes
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
    second_split: SecondSplit
    pretrain: Pretrain
    compression: Compression
    target: Target
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
        sources = {"download": self.download.source}
        sources |= {f"target.sets.{name}": target.source for name, target in self.target.sets.items()}
        for key, source in sources.items():
            if source not in methods.names(SOURCES):
                there = ", ".join(methods.names(SOURCES))
                raise ValueError(f"{key}.source: must be one of {there}, not {as_yaml(source)}")
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
        """Check that scores of networks that train on parts of the images, on halves in turn or without labels, or that
        are pruned, have such networks."""
        asked = [name for name in self.score.scores if name in methods.names(OF_PARTS)]
        of_halves = [name for name in self.score.scores if name in methods.names(OF_SPLITS)]
        if of_halves and not self.second_split.cohorts:
            there = "give second_split.cohorts one, such as {s: [400, 401]}"
            raise ValueError(f"score.scores: {of_halves[0]} needs seeds that train on two halves in turn: {there}")
        of_pretrained = [name for name in self.score.scores if name in methods.names(OF_PRETRAINED)]
        if of_pretrained and not self.pretrain.cohorts:
            names = f"network: {next(iter(self.networks))}, training: {next(iter(self.trainings))}"
            there = f"give pretrain.cohorts one, such as {{p: {{seeds: [500, 501, 502], {names}}}}}"
            raise ValueError(f"score.scores: {of_pretrained[0]} needs networks that train without labels: {there}")
        of_cuts = [name for name in self.score.scores if name in methods.names(OF_CUTS)]
        if of_cuts and not self.compression.levels:
            there = "name a level of pruning in compression.levels"
            raise ValueError(f"score.scores: {of_cuts[0]} compares the dense networks with pruned ones: {there}")
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
        for score in self.score.scores:
            self._kept_for(score)
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
        trusted = [name for name, cohort in self.early.cohorts.items() if cohort.trusted]
        if trusted and self.labels.trusted is None:
            raise ValueError(f"early.cohorts.{trusted[0]}: is trusted, but labels.trusted names no column")
        if len(trusted) == len(self.early.cohorts):
            raise ValueError("early.cohorts: all are trusted, so most images get no score; add one that trains on all")
        if self.target.sets and self.target.cohort not in self.early.cohorts:
            there = ", ".join(self.early.cohorts)
            raise ValueError(f"target.cohort: {self.target.cohort} is not in early.cohorts; there are {there}")
        shared = sorted(set(self.retrain.seeds) & {s for cohort in self.early.cohorts.values() for s in cohort.seeds})
        if shared:
            raise ValueError(f"retrain.seeds: {shared[0]} is a seed of early.cohorts too; retraining needs fresh ones")
        return self

    def _kept_for(self, score: str) -> None:
        """Check that early keeps what a score takes."""
        epochs = ", ".join(map(str, self.early.epochs))
        if score in methods.names(OF_FEATURES) and not self.early.features:
            raise ValueError(
                f"score.scores: {score} needs the inputs of the last layer: name the epochs after which to keep them "
                f"in early.features, such as [{self.early.epochs[-1]}]"
            )
        if score in methods.names(OF_TRAJECTORIES) and not epochs_of(score, self.early.epochs, []):
            raise ValueError(
                f"score.scores: {score} needs the outputs after {FEWEST} epochs from 1 on; early.epochs has {epochs}"
            )
        cohorts = self.early.cohorts.values()
        seeing = sum(
            len(cohort.seeds) - (len(cohort.seeds) // cohort.folds if cohort.folds else 0) for cohort in cohorts
        )
        if score in methods.names(OF_SEEDS) and seeing < 2:
            raise ValueError(
                f"score.scores: {score} compares networks: give early.cohorts more seeds, two for every image"
            )

    def _neighbours(self) -> None:
        """What groups of neighbouring images are made by is computed, and their kernels' networks are kept."""
        computed = [*self.score.scores, *self.score.gradients]
        if self.ntk.score not in computed:
            raise ValueError(f"ntk.score: {self.ntk.score} is not computed; score has {', '.join(computed)}")
        if not epochs_of(self.ntk.score, self.early.epochs, self.early.features):
            raise ValueError(f"ntk.score: {self.ntk.score} is counted from epoch 1 on, but early.epochs ends at 0")
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
        exists = epochs_of(subsets.score, self.early.epochs, self.early.features)
        if subsets.epoch is not None and subsets.epoch not in exists:
            there = ", ".join(map(str, exists))
            raise ValueError(f"connectivity.subsets.epoch: {subsets.score} exists after {there}, not {subsets.epoch}")

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
        """Every source of transfer has seeds of its own, and a training that is long enough; second_split and pretrain
        have new seeds."""
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
        others = {f"second_split.cohorts.{name}": seeds for name, seeds in self.second_split.cohorts.items()}
        others |= {f"pretrain.cohorts.{name}": cohort.seeds for name, cohort in self.pretrain.cohorts.items()}
        for key, seeds in others.items():
            for seed in seeds:
                if seed in owner:
                    raise ValueError(f"{key}: {seed} is in {owner[seed]} too; give new seeds")
            owner |= dict.fromkeys(seeds, key)

    def _visits(self) -> None:
        """The trainings that choose as they go have names of their own, and their methods and options exist."""
        subsets = all_subsets(self.select, self.sweep)
        subsets |= with_recipes(selected(self.select), self.retrain.recipes)
        taken = {"full", *subsets, *self.select.methods, *self.sweep.methods}
        for name, values in self.retrain.visits.items():
            if name in taken or name.startswith("on-"):  # on-: of targets
                raise ValueError(
                    f"retrain.visits: {name} is a name of a subset, a selection method or a target; take another"
                )
            choosing.check(name, values)

    def _of_source(self, key: str, name: str, score: str, source: str) -> None:
        """Check that a source has the score that a selection method takes from it."""
        if source not in self.transfer.sources:
            there = ", ".join(self.transfer.sources) or "none yet"
            raise ValueError(f"{key}: {name!r}: {source} is not in transfer.sources; there are {there}")
        known = [known for family in OF_ONE_RUN for known in methods.names(family)]
        if score not in known:
            raise ValueError(f"{key}: {name!r}: sources do not have {score}; they have {', '.join(known)}")

    def _selected_by(self, key: str, name: str, choice: Choice) -> None:
        """Check that early and score keep what a selection method of this key needs."""
        epoch, marked = choice.options.get("epoch"), method(choice.method)
        for score in [choice.options.get("score", "random"), *choice.options.get("scores", [])]:
            self._by_score(key, name, choice, score)
        if methods.has_mark(marked, "NEEDS_VALIDATION") and not self.download.validation:
            raise ValueError(f"{key}: {name!r} needs validation images: set download.validation above 0")
        if methods.has_mark(marked, "NEEDS_VALIDATION") and epoch not in self.early.epochs:
            there = ", ".join(map(str, self.early.epochs))
            raise ValueError(f"{key}: {name!r} needs the outputs of epoch {epoch}; early.epochs has {there}")
        if methods.has_mark(marked, "NEEDS_TARGET"):
            self._for_a_target(f"{key}: {name!r}", choice)
        if methods.has_mark(marked, "NEEDS_FEATURES") and epoch not in self.early.features:
            raise ValueError(f"{key}: {name!r} needs the features of epoch {epoch}: add it to early.features")

    def _by_score(self, key: str, name: str, choice: Choice, score: str) -> None:
        """Check that a score that a selection method chooses by is computed at its epoch."""
        epoch = choice.options.get("epoch")
        of_visits = [name for family in OF_RECORDS for name in methods.names(family)]
        of_all_seeds = [name for family in OF_ALL_SEEDS for name in methods.names(family)]
        families = (*OF_ONE_RUN, *OF_ALL_SEEDS, OF_FEATURES, OF_GRADIENTS)
        of_epochs = [name for family in families for name in methods.names(family)]
        of_whole = [name for family in OF_WHOLE_TRAININGS for name in methods.names(family)]
        known = [*of_epochs, *of_whole, *methods.names(OF_DATA)]
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
        exists = epochs_of(score, self.early.epochs, self.early.features)
        if score in methods.names(OF_TRAJECTORIES) and epoch not in exists:
            there = ", ".join(map(str, exists))
            raise ValueError(f"{key}: {name!r} at epoch {epoch}: {score} exists after {there}")
        if score in methods.names(OF_FEATURES) and epoch not in exists:
            raise ValueError(f"{key}: {name!r} needs the features of epoch {epoch}: add it to early.features")
        if score in of_all_seeds and choice.options.get("seeds") is not None:
            raise ValueError(f"{key}: {name!r}: {score} is of all seeds together: leave out seeds")
        if score in of_whole and choice.given & {"epoch", "seeds"}:
            raise ValueError(f"{key}: {name!r}: {score} is of whole trainings: it has no epoch, and no seeds to choose")
        self._enough_seeds(f"{key}: {name!r}", choice, score in of_epochs)

    def _for_a_target(self, key: str, choice: Choice) -> None:
        """Check that a method which chooses for a target has one, and that there are outputs of its epoch."""
        target, sets = choice.options["target"], self.target.sets
        there = ", ".join(sets) or "none yet"
        if target is None and len(sets) != 1:
            why = "names no target" if sets else "chooses for a target: add one to target.sets"
            raise ValueError(f"{key} {why}; there are {there}")
        if target is not None and target not in sets:
            raise ValueError(f"{key}: target: {target} is not in target.sets; there are {there}")
        if choice.options["epoch"] not in self.early.epochs:
            epochs = ", ".join(map(str, self.early.epochs))
            raise ValueError(f"{key}: epoch {choice.options['epoch']} is not scored; early.epochs has {epochs}")

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
            self._moved(name, level)
        selected = list(all_subsets(self.select, self.sweep))
        subsets = ["full", *(f"select/{name}" for name in selected)]
        trained_on = {f"pruning.levels.{name}.data": level.data for name, level in self.pruning.levels.items()}
        trained_on |= {f"pruning.rewinds.{name}.data": rewind.data for name, rewind in self.pruning.rewinds.items()}
        for key, data in trained_on.items():
            if data in selected:
                raise ValueError(f"{key}: {data} lies in the folder select: write select/{data}")
            if data not in subsets:
                raise ValueError(f"{key}: {data} is not a subset that is selected; there are {', '.join(subsets)}")
        if self.dense.measure and not self.download.validation:
            raise ValueError("dense.measure: needs validation images: set download.validation above 0")
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
        self._compression()
        before_end = {"dense.rewind": [self.dense.rewind], "spawn.at": self.spawn.at}
        before_end |= {f"pruning.rewinds.{name}.length": [point.length] for name, point in self.pruning.rewinds.items()}
        for key, times in before_end.items():
            self._before_end(key, times)
        for name, run in self.perturbation.runs.items():
            self._perturbed(f"perturbation.runs.{name}", run, levels)
        return self

    def _compression(self) -> None:
        """Check that the levels for scores exist, and do not wait for images that are selected by scores."""
        levels, rewinds, key = self.pruning.levels, self.pruning.rewinds, "compression.levels"
        for name in self.compression.levels:
            if name not in levels:
                raise ValueError(
                    f"{key}: {name} is no level of pruning.levels; there are {', '.join(levels) or 'none'}"
                )
            for above in line(levels, name)[1:]:
                level = levels[above]
                data = [level.data] + ([rewinds[level.rewind].data] if level.rewind in rewinds else [])
                for subset in data:
                    if subset != "full":
                        raise ValueError(
                            f"{key}: {name}: level {above} needs {subset}, which is selected after the scores; name a "
                            "level whose networks train on full"
                        )
        if len({*self.compression.levels}) != len(self.compression.levels):
            raise ValueError(f"{key}: names a level twice")

    def _before_end(self, key: str, times: list[str]) -> None:
        """Check that all times are before the end of the dense training. Stages check times in another unit."""
        end, unit = self.dense.training.length.split()
        for time in times:
            count, its_unit = time.split()
            if its_unit.rstrip("s") == unit.rstrip("s") and int(count) >= int(end):
                raise ValueError(f"{key}: {time} is not before the end of dense.training, which has {end} {unit}")

    def _moved(self, name: str, level: Level) -> None:
        """Check that a level which asks how far weights have moved rewinds to where its parent's training began."""
        if not level.options.get("activate"):
            return
        parent = self.pruning.levels.get(level.parent)
        rewind, weights = (parent.rewind, parent.choices.weights) if parent else (DENSE, "rewind")
        if (rewind, weights) != (level.rewind, "rewind"):
            begun = rewind if weights == "rewind" else f"{weights} weights"
            raise ValueError(
                f"pruning.levels.{name}.activate: counts how far weights moved from the rewind point {level.rewind}, "
                f"but {level.parent} began at {begun}"
            )

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
        if level and level.choices.trains != "all":
            raise ValueError(f"{key}.level: {run.level} does not train all parameters ({level.kind})")
        if level and level.options.get("distil"):
            raise ValueError(f"{key}.level: {run.level} has a teacher ({level.kind})")
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
