"""Bring the scores of all cohorts into one table, and tell how far they can be trusted and which labels look wrong."""

from pathlib import Path

import pandas as pd

from stages._stage import main, params
from winnow.datasets.images import load_facts
from winnow.params.early import Early, Score
from winnow.params.select import Aggregate
from winnow.scores.aggregate import score_table
from winnow.scores.names import BY_EPOCH
from winnow.scores.reliability import correlation_table, halves_at, reliability_table
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import load_scores
from winnow.scores.suspects import has_noise, noise_auc, predicted_labels, suspects
from winnow.storage import load_table, save_json, save_table


def aggregate() -> None:
    options = params(early=Early, score=Score, aggregate=Aggregate)
    cohorts = list(options.early.cohorts)
    names = [*options.score.scores, *options.score.gradients]
    scores = {name: load_scores(f"data/score/{cohort}-{name}.safetensors" for cohort in cohorts) for name in names}
    images = load_table("data/labels.parquet")
    table = score_table(images, scores)
    save_table("data/aggregate/scores.parquet", table)

    epoch = options.aggregate.suspects_epoch
    epoch = options.early.epochs[-1] if epoch is None else epoch
    runs = [
        EarlyRuns(Path("data/early", cohort), images["label"].to_numpy(), Path("data/images")) for cohort in cohorts
    ]
    found = suspects(
        table,
        predicted_labels(runs, epoch),
        load_facts("data/images")["class_names"],
        epoch,
        options.aggregate.suspects,
    )
    save_table("data/aggregate/suspects.csv", found)

    by_epoch = {name: scores[name] for name in names if name in BY_EPOCH}
    trust = reliability_table(by_epoch, options.aggregate.splits, options.aggregate.seed)
    save_table("plots/reliability.csv", trust)
    save_table("plots/rank_correlation.csv", correlation_table(table))
    save_table("plots/history.csv", pd.concat([load_table(path) for cohort in runs for path in cohort.histories]))
    save_json(
        "metrics/scores.json",
        {
            "images": len(table),
            "seeds": sum(map(len, options.early.cohorts.values())),
            "epoch": epoch,
            "rank_correlation_of_halves": halves_at(trust, epoch),
            **({"noise_auc": noise_auc(table, by_epoch, epoch)} if has_noise(table) else {}),
        },
    )


if __name__ == "__main__":
    main(aggregate)
