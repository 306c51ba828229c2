"""Choose the images of every subset: of select each method at each size, and those of sweep. Measure what each
covers of all images."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from winnow.analysis.coverage import coverage_table, placed, space
from winnow.counts import kept
from winnow.datasets.images import load_facts
from winnow.errors import UserError
from winnow.params.early import Early, Score
from winnow.params.select import Select
from winnow.params.sweep import Sweep
from winnow.params.target import Target
from winnow.scores.columns import column
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import SeedScores, load_scores
from winnow.scores.sources import on
from winnow.selection.choices import all_choices, all_subsets
from winnow.selection.choose import choose
from winnow.selection.files import save_subset
from winnow.selection.of_runs import OfRuns, missing_classes
from winnow.stages._stage import main, params
from winnow.storage import atomic_folder, load_table, save_table
from winnow.streams import numpy_stream


def select() -> None:
    given = params(select=Select, sweep=Sweep, early=Early, score=Score, target=Target)
    options, early = given.select, given.early
    table, facts = load_table("data/scores/scores.parquet"), load_facts("data/images")
    labels, images = table["label"].to_numpy(), table[["id", "position"]]  # rows of all columns would be large
    runs = [EarlyRuns(Path("data/early") / cohort, labels, Path("data/images")) for cohort in early.cohorts]
    evidence = evidence_of(table, facts, runs, given.score.gradients, given.target.sets, given.target.cohort)
    methods = all_choices(options, given.sweep)
    about = {"source": facts["source"], "epoch": options.epoch, "seed": options.seed, "of_images": len(table)}
    subsets: dict[tuple[str, str], np.ndarray] = {}
    with atomic_folder("data/select") as folder:
        for item, (name, keep) in all_subsets(options, given.sweep).items():
            section = "select" if name in options.methods and keep in options.keep else "sweep"
            choice = methods[name]
            try:
                size = kept(keep, len(table))
            except ValueError as error:
                raise UserError(f"{section}.keep: {error}") from None
            try:
                chosen = choose(evidence, choice.method, choice.options, size, options.seed)
            except ValueError as error:
                raise UserError(f"{section}.methods: {name}: {error}") from None
            lost = [facts["class_names"][index] for index in missing_classes(chosen.rows, evidence)]
            if lost:
                print(f"{section}.keep: {keep} with {name} keeps no image of {', '.join(map(repr, lost))}")
            subsets[name, str(keep)] = chosen.rows
            if chosen.about.get("ties"):
                print(f"{section}.keep: {keep} with {name}: {chosen.about['ties']} groups left out have as many votes")
            provenance = {**about, "method": name, "keep": keep, **chosen.about}
            save_subset(folder / f"{item}.parquet", images.iloc[chosen.rows], provenance, chosen.weights)
    epoch = options.epoch if options.epoch in early.epochs else early.epochs[-1]
    rng = numpy_stream(options.seed, "measured_on")
    words, rows, points = features(runs, early.features, early.epochs[-1], rng)
    over = space(labels, table[column("el2n", epoch)].to_numpy(), rows, points, rng)
    covered = coverage_table(subsets, over).assign(epoch=epoch, space=words)
    save_table("data/analysis/coverage.parquet", covered)


def evidence_of(
    table: pd.DataFrame,
    facts: dict[str, Any],
    runs: list[EarlyRuns],
    gradients: list[str],
    targets: Iterable[str],
    looking: str,
) -> OfRuns:
    """What the methods choose by. runs: of all cohorts; gradients: the scores of gradients; looking: the cohort whose
    network looks at the targets."""
    seen = {
        target: (cohort, cohort.folder.parent / on(target))
        for target in targets
        for cohort in runs
        if cohort.folder.name == looking
    }

    def seed_scores(name: str) -> SeedScores:
        folder = "data/early" if name in gradients else "data/scores"
        return load_scores(f"{folder}/{cohort.folder.name}-{name}.safetensors" for cohort in runs)

    return OfRuns(table, len(facts["class_names"]), runs[0], seed_scores, Path("data/scores"), seen)


def features(
    runs: list[EarlyRuns], epochs: list[int], last: int, rng: np.random.Generator
) -> tuple[str, np.ndarray, np.ndarray]:
    """Where neighbourhoods are looked for, in words, for which images (``placed``), and the direction in which each of
    these lies there, float [p, d]: the inputs of the last layer of one network, if early kept them after ``epochs``;
    else the square roots of the mean output of all, whose distances are Hellinger's, so that small probabilities count
    too."""
    if epochs:
        inputs = runs[0].features(runs[0].seeds[0], max(epochs))
        rows = placed(inputs, rng)
        return f"features of one network at epoch {max(epochs)}", rows, inputs[rows]
    outputs = [cohort.log_probabilities(seed, last) for cohort in runs for seed in cohort.seeds]
    rows = placed(outputs[0], rng)
    words = f"mean outputs of {len(outputs)} networks at epoch {last}"
    total = sum((np.nan_to_num(np.exp(own[rows])) for own in outputs), start=np.zeros((), np.float32))
    return words, rows, np.sqrt(total)


if __name__ == "__main__":
    main(select)
