"""Collect the results of all retraining in one table, and compare every method with random subsets and with all
data: by accuracy, and by what the subsets cover."""

from pathlib import Path

import pandas as pd

from winnow.analysis.comparison import DYNAMIC, accuracy_bands, differences, differences_summary, summary
from winnow.analysis.coverage import beside_random
from winnow.analysis.how_early import how_early
from winnow.analysis.on_target import FRESH, on_target
from winnow.analysis.windows import windows
from winnow.datasets.images import load_facts
from winnow.params.early import Early
from winnow.params.retrain import Retrain
from winnow.params.select import Select
from winnow.params.sweep import Sweep
from winnow.params.target import Target
from winnow.scores.sources import on
from winnow.selection.by_source import by_source
from winnow.selection.choices import all_choices, all_subsets, selected
from winnow.selection.recipes import with_recipes
from winnow.selection.scored_by import scored_by
from winnow.stages._stage import keep_only, main, params
from winnow.storage import load_table, save_json, save_table


def compare() -> None:
    options = params(select=Select, sweep=Sweep, early=Early, retrain=Retrain, target=Target)
    images = load_facts("data/images")["images"]["train"]
    chosen = selected(options.select)
    items = all_subsets(options.select, options.sweep)
    items |= with_recipes(chosen, options.retrain.recipes)
    pools = [*chosen, "full", FRESH]
    tuned = {(target, item): f"{on(target)}-{item}" for target in options.target.sets for item in pools}
    keep_only(Path("data/retrain"), [*items, "full", *tuned.values(), *options.retrain.visits])
    tables = []
    for item, (method, keep) in {**items, "full": ("full", 1.0)}.items():
        table = load_table(f"data/retrain/{item}/results.csv")
        tables.append(table.assign(method=method, keep=str(keep), fraction=table["images"] / images))
    whole = tables[-1]["visits"].mean()
    for name in options.retrain.visits:
        table = load_table(f"data/retrain/{name}/results.csv")
        tables.append(table.assign(method=name, keep=DYNAMIC, fraction=table["visits"].mean() / whole))
    accuracy = pd.concat(tables, ignore_index=True)
    columns = ["method", "keep", "fraction", "images", "steps", "visits", "seed", "split", "accuracy", "loss"]
    save_table("plots/accuracy.csv", accuracy[columns])
    seeds = sum(len(cohort.seeds) for cohort in options.early.cohorts.values())
    methods = all_choices(options.select, options.sweep)
    save_table("plots/how_early.csv", how_early(accuracy, scored_by(methods, seeds)))

    bands = accuracy_bands(accuracy)
    against = differences(accuracy, "test")
    save_table("data/analysis/accuracy.parquet", bands)
    save_table("plots/differences.csv", against)
    save_table("plots/windows.csv", windows(accuracy, methods))
    of_targets = {key: load_table(f"data/retrain/{name}/results.csv") for key, name in tuned.items()}
    save_table("plots/target.csv", on_target(accuracy, of_targets))
    save_table("plots/coverage.csv", beside_random(load_table("data/analysis/coverage.parquet")))
    of_sources = against["method"].isin(by_source(methods))
    save_table("plots/transfer_differences.csv", against[of_sources & (against["baseline"] == "random")])
    save_json("metrics/retrain.json", {split: summary(bands, split) for split in accuracy["split"].unique()})
    save_json("metrics/differences.json", differences_summary(against))


if __name__ == "__main__":
    main(compare)
