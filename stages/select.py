"""Choose the images of every subset: each method at each size."""

from pathlib import Path

from stages._stage import main, params
from winnow.datasets.images import load_facts
from winnow.errors import UserError
from winnow.params.early import Early
from winnow.params.select import Select
from winnow.scores.runs import EarlyRuns
from winnow.selection.choices import choices
from winnow.selection.choose import choose
from winnow.selection.files import save_subset
from winnow.selection.of_runs import OfRuns, missing_class
from winnow.selection.size import kept
from winnow.storage import atomic_folder, load_table


def select() -> None:
    options, cohorts = params(select=Select).select, params(early=Early).early.cohorts
    table, facts = load_table("data/scores/scores.parquet"), load_facts("data/images")
    first = EarlyRuns(Path("data/early") / next(iter(cohorts)), table["label"].to_numpy(), Path("data/images"))
    evidence = OfRuns(table, len(facts["class_names"]), first, Path("data/scores"))
    about = {"source": facts["source"], "epoch": options.epoch, "seed": options.seed, "of_images": len(table)}
    with atomic_folder("data/select") as folder:
        for name, choice in choices(options.methods, options.epoch).items():
            for keep in options.keep:
                try:
                    size = kept(keep, len(table))
                except ValueError as error:
                    raise UserError(f"select.keep: {error}") from None
                try:
                    chosen = choose(evidence, choice.method, choice.options, size, options.seed)
                except ValueError as error:
                    raise UserError(f"select.methods: {name}: {error}") from None
                missing = missing_class(chosen.rows, evidence)
                if missing is not None:
                    raise UserError(
                        f"select.keep: {keep} with {name} leaves no image of class {facts['class_names'][missing]!r}; "
                        "keep more, or choose by class (ranked: -perclass)"
                    )
                provenance = {**about, "method": name, "keep": keep}
                save_subset(folder / f"{name}-{keep}.parquet", table.iloc[chosen.rows], provenance, chosen.weights)


if __name__ == "__main__":
    main(select)
