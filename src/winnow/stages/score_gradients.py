"""Compute one gradient score of one cohort from the networks that its early training kept. This trains nothing."""

import shutil
from pathlib import Path

from winnow.datasets.images import load_labels
from winnow.params.early import Early
from winnow.scores.gradients import compute
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import save_scores
from winnow.stages._stage import main, naming, params, scratch


def score_gradients(cohort: str, name: str) -> None:
    network = params(early=Early).early.network
    runs = EarlyRuns(Path("data/early", cohort), load_labels("data/labels.parquet"), Path("data/images"))
    folder = scratch()
    with naming(f"score.gradients: {name} has no value for early.network: "):
        scores = compute(name, runs, network, folder)
    save_scores(f"data/early/{cohort}-{name}.safetensors", scores)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(score_gradients)
