"""Compute one score of one cohort from the outputs that its early training kept: nothing is trained."""

from importlib import import_module
from pathlib import Path

from stages._stage import main
from winnow.datasets.images import load_labels
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import save_scores


def score(cohort: str, name: str) -> None:
    runs = EarlyRuns(Path("data/early", cohort), load_labels("data/labels.parquet"), Path("data/images"))
    scores = import_module(f"winnow.scores.{name}").compute(runs)
    save_scores(f"data/score/{cohort}-{name}.safetensors", scores)


if __name__ == "__main__":
    main(score)
