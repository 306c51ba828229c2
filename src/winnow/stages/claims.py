"""Test what the papers claim on the results of all stages, and say of every claim whether it holds; with the
headline numbers of the experiment, which alone DVC takes for metrics."""

from pathlib import Path
from typing import Any

import pandas as pd

from winnow.analysis.comparison import DYNAMIC
from winnow.claims.headline import headline
from winnow.claims.register import findings, in_words
from winnow.claims.results import Diet, Results, Tickets
from winnow.params.aggregate import Aggregate
from winnow.params.base import steps
from winnow.params.dense import NAME as DENSE
from winnow.params.dense import Dense
from winnow.params.early import Early, Score
from winnow.params.landscape import Connectivity
from winnow.params.pruning import Pruning, Rewind
from winnow.params.retrain import Retrain
from winnow.params.select import Select
from winnow.params.sweep import Sweep
from winnow.params.transfer import Transfer
from winnow.scores.seed_scores import SeedScores, load_scores
from winnow.selection.choices import all_choices
from winnow.stages._experiment import experiment
from winnow.stages._stage import main
from winnow.storage import load_column, load_table, save_json


def claims() -> None:
    options = experiment(
        early=Early,
        score=Score,
        aggregate=Aggregate,
        select=Select,
        sweep=Sweep,
        retrain=Retrain,
        dense=Dense,
        pruning=Pruning,
        connectivity=Connectivity,
        transfer=Transfer,
    )
    results = Results(diet_of(options), tickets_of(options))
    found = findings(results)
    save_json("metrics/claims.json", found)
    save_json("metrics/summary.json", headline(results, load_table("plots/reliability.csv"), found))
    print(in_words(found))


def diet_of(options: Any) -> Diet:
    early, retrain = options.early, options.retrain
    images, accuracy = load_table("data/labels.parquet"), load_table("plots/accuracy.csv")

    def is_other(scored: Any) -> bool:
        return (scored.network, scored.training) != (retrain.network, retrain.training)

    suspects_epoch = options.aggregate.suspects_epoch
    return Diet(
        accuracy=accuracy[accuracy["keep"] != DYNAMIC],
        methods=all_choices(options.select, options.sweep),
        epoch=options.select.epoch,
        scores=scores_of(options),
        velocities=pd.concat(load_table(f"data/ntk/{cohort}.parquet") for cohort in early.cohorts),
        changed=(images["label"] != images["true_label"]).to_numpy(),
        suspects_epoch=early.epochs[-1] if suspects_epoch is None else suspects_epoch,
        full_length=early.training.length,
        transferred=is_other(early),
        sources=[name for name, source in options.transfer.sources.items() if is_other(source)],
    )


def scores_of(options: Any) -> dict[str, SeedScores]:
    """Of the scores that claims are about, those that were computed."""
    folders = dict.fromkeys(options.score.scores, "data/scores") | dict.fromkeys(options.score.gradients, "data/early")
    return {
        name: load_scores(f"{folders[name]}/{cohort}-{name}.safetensors" for cohort in options.early.cohorts)
        for name in ("el2n", "forgetting", "grand")
        if name in folders
    }


def tickets_of(options: Any) -> Tickets:
    plots, analysis = Path("plots/tickets"), Path("data/analysis/tickets")
    children = load_table(plots / "children_subsets.csv")
    if options.connectivity.subsets.score != "el2n":  # the claim is about no other
        children = children[~children["subset"].isin(["lowest", "highest"])]
    rewinds = {DENSE: Rewind(data="full", length=options.dense.rewind), **options.pruning.rewinds}
    epoch = len(load_column("data/labels.parquet", "label")) // options.dense.training.batch_size
    return Tickets(
        results=load_table(plots / "results.csv"),
        verdicts=load_table(plots / "verdicts.csv"),
        pairs=load_table(analysis / "pairs.parquet"),
        barriers=load_table(plots / "barriers.csv"),
        perturbed=load_table(plots / "barriers_perturbed.csv"),
        curvature=load_table(plots / "curvature.csv"),
        measured_cuts=load_table(plots / "measured_cuts.csv"),
        cut_limits=load_table(analysis / "cut_limits.parquet"),
        children=children,
        levels=options.pruning.levels,
        rewinds=rewinds,
        rewind_steps={name: steps(point.length, epoch) for name, point in rewinds.items()},
    )


if __name__ == "__main__":
    main(claims)
