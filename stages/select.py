"""Choose the images of every subset: of select each method at each size, and those of sweep."""

from pathlib import Path

from stages._stage import main, params
from winnow.datasets.images import load_facts
from winnow.errors import UserError
from winnow.params.early import Early, Score
from winnow.params.select import Select
from winnow.params.sweep import Sweep
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import SeedScores, load_scores
from winnow.selection.choices import all_choices, all_subsets
from winnow.selection.choose import choose
from winnow.selection.files import save_subset
from winnow.selection.of_runs import OfRuns, missing_class
from winnow.selection.size import kept
from winnow.storage import atomic_folder, load_table


def select() -> None:
    given = params(select=Select, sweep=Sweep, early=Early, score=Score)
    options, cohorts, gradients = given.select, given.early.cohorts, given.score.gradients

    def seed_scores(name: str) -> SeedScores:
        folder = "data/early" if name in gradients else "data/scores"
        return load_scores(f"{folder}/{cohort}-{name}.safetensors" for cohort in cohorts)

    table, facts = load_table("data/scores/scores.parquet"), load_facts("data/images")
    first = EarlyRuns(Path("data/early") / next(iter(cohorts)), table["label"].to_numpy(), Path("data/images"))
    evidence = OfRuns(table, len(facts["class_names"]), first, seed_scores)
    methods = all_choices(options, given.sweep)
    about = {"source": facts["source"], "epoch": options.epoch, "seed": options.seed, "of_images": len(table)}
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
            missing = missing_class(chosen.rows, evidence)
            if missing is not None:
                what = f"{section}.keep: {keep} with {name} leaves no image of class {facts['class_names'][missing]!r}"
                if section == "select":
                    raise UserError(f"{what}; keep more, or choose by class (ranked: -perclass)")
                print(what)  # a sweep shows where a score is no good, and that may be why
            provenance = {**about, "method": name, "keep": keep}
            save_subset(folder / f"{item}.parquet", table.iloc[chosen.rows], provenance, chosen.weights)


if __name__ == "__main__":
    main(select)
