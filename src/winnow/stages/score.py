"""Compute every score of the kept outputs, collect all scores in one table, and list the labels that look wrong.

This trains nothing. Gradient scores come from their own stages (score_gradients), which take minutes.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from winnow import methods
from winnow.analysis.curves import training_curves
from winnow.analysis.detection import auroc_at, detection_curves, detection_table
from winnow.analysis.histograms import score_histograms
from winnow.analysis.reliability import correlation_table, halves_at, reliability_table
from winnow.analysis.transfer import transfer_table
from winnow.claims.agreement import agreement_table
from winnow.datasets.images import load_facts
from winnow.errors import UserError
from winnow.params.aggregate import Aggregate
from winnow.params.compression import Compression
from winnow.params.early import Early, Score
from winnow.params.ntk import Ntk
from winnow.params.pretrain import Pretrain
from winnow.params.second_split import SecondSplit
from winnow.params.transfer import Transfer
from winnow.scores.aggregate import score_table
from winnow.scores.columns import column
from winnow.scores.compute import compare_seeds, compute
from winnow.scores.cuts import of_cuts
from winnow.scores.families import OF_CUTS, OF_ONE_RUN, OF_PRETRAINED, OF_SEEDS, OF_SPLITS
from winnow.scores.neighbours import neighbours
from winnow.scores.out_of_sample import out_of_sample
from winnow.scores.pretrained import of_pretrained
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import NO_EPOCH, SeedScores, load_scores, save_scores
from winnow.scores.sources import cut_of, file_of, pretrained, run_of, split_of
from winnow.scores.splits import of_splits
from winnow.scores.suspects import has_noise, predicted_labels, suspects
from winnow.stages._stage import main, naming, params
from winnow.storage import atomic_folder, load_table, save_json, save_table

EARLY = Path("data/early")
OfOwnRuns = Mapping[str, Mapping[str, Callable[[str], SeedScores]]]


def score() -> None:
    options = params(
        early=Early,
        score=Score,
        aggregate=Aggregate,
        ntk=Ntk,
        transfer=Transfer,
        second_split=SecondSplit,
        pretrain=Pretrain,
        compression=Compression,
    )
    cohorts = list(options.early.cohorts)
    sources = list(options.transfer.sources)
    images = load_table("data/labels.parquet")
    of_folder = partial(EarlyRuns, labels=images["label"].to_numpy(), dataset=Path("data/images"))
    runs = {name: of_folder(EARLY / name) for name in cohorts}
    epoch = options.aggregate.suspects_epoch
    epoch = options.early.epochs[-1] if epoch is None else epoch
    class_names = load_facts("data/images")["class_names"]
    splits, unlabelled = map(split_of, options.second_split.cohorts), map(pretrained, options.pretrain.cohorts)
    cuts = [EARLY / cut_of(level) for level in options.compression.levels]
    own = {
        OF_SPLITS: {name: partial(of_splits, folder=EARLY / name, images=len(images)) for name in splits},
        OF_PRETRAINED: {
            name: partial(of_pretrained, folder=EARLY / name, classes=len(class_names)) for name in unlabelled
        },
        OF_CUTS: {"cuts": partial(of_cuts, levels=cuts)},
    }
    with atomic_folder("data/scores") as folder:
        scores = scores_of(runs, own, options.score, options.early.features, folder)
        table = score_table(images, scores)
        outputs = [cohort.log_probabilities(seed, epoch) for cohort in runs.values() for seed in cohort.seeds]
        found = suspects(table, predicted_labels(outputs), class_names, epoch, options.aggregate.suspects)
        save_table(folder / "scores.parquet", table)
        save_table(folder / "suspects.csv", found)
        of_one_run = {name for family in OF_ONE_RUN for name in methods.names(family)}
        asked = [name for name in options.score.scores if name in of_one_run]
        others = {name: scores_of_source(name, of_folder(EARLY / run_of(name)), asked, folder) for name in sources}

    chosen = options.ntk.score
    of_images = table[column(chosen, scores[chosen].epochs[-1])].to_numpy()
    with naming("ntk."):
        save_table("data/analysis/neighbours.parquet", neighbours(of_images, options.ntk.groups, options.ntk.images))
    by_seed = {name: values for name, values in scores.items() if name not in methods.names(OF_SEEDS)}
    by_epoch = {name: values for name, values in by_seed.items() if values.epochs != [NO_EPOCH]}
    trust = reliability_table(by_epoch, options.aggregate.splits, options.aggregate.seed)
    wrong = (images["label"] != images["true_label"]).to_numpy()
    judged = ~images["trusted"].to_numpy() if "trusted" in images else None
    unseen = out_of_sample(options.score.scores, list(runs.values()), judged) if wrong.any() else {}
    detection = detection_table(wrong, {"in": scores, "out": unseen})
    history = pd.concat(load_table(path) for cohort in runs.values() for path in cohort.histories)
    save_table("plots/reliability.csv", trust)
    save_table("plots/rank_correlation.csv", correlation_table(table))
    save_table("plots/agreement.csv", agreement_table(by_seed))
    save_table("plots/detection.csv", detection)
    save_table("plots/history.csv", history)
    draws, seed = options.aggregate.splits, options.aggregate.seed
    save_table("plots/transfer.csv", transfer_table(by_epoch, others, trust, draws, seed))
    save_table("data/analysis/detection.parquet", detection_curves(wrong, {"in": scores, "out": unseen}, epoch))
    save_table("data/analysis/history.parquet", training_curves(history))
    save_table("data/analysis/distributions.parquet", score_histograms(table))
    save_json(
        "metrics/scores.json",
        {
            "images": len(table),
            "seeds": sum(len(cohort.seeds) for cohort in options.early.cohorts.values()),
            "epoch": epoch,
            "rank_correlation_of_halves": halves_at(trust, epoch),
            **({"noise_auc": auroc_at(detection, epoch)} if has_noise(table) else {}),
        },
    )


def scores_of(
    runs: dict[str, EarlyRuns], own: OfOwnRuns, asked: Any, features: Sequence[int], folder: Path
) -> dict[str, SeedScores]:
    """Every score of all cohorts, by name. Also writes the scores computed here to the folder, seed by seed.

    own: of families that take other runs than those of the cohorts, what computes a score of that name, by the name of
    these runs. features: the epochs after which early kept the inputs of the last layer.
    """
    files: dict[str, list[Path]] = {}
    for name in asked.scores:
        family = next((family for family in own if name in methods.names(family)), None)
        if family is not None:
            files[name] = [folder / f"{run}-{name}.safetensors" for run in own[family]]
            for path, of_run in zip(files[name], own[family].values(), strict=True):
                save_scores(path, of_run(name))
            continue
        files[name] = [folder / f"{cohort}-{name}.safetensors" for cohort in runs]
        compared = compare_seeds(name, list(runs.values())) if name in methods.names(OF_SEEDS) else []
        for place, (path, cohort) in enumerate(zip(files[name], runs.values(), strict=True)):
            with naming(f"score.scores: {name}: early.cohorts.{cohort.folder.name}: "):
                save_scores(path, compared[place] if compared else compute(name, cohort, features))
    for name in asked.gradients:
        files[name] = [EARLY / f"{cohort}-{name}.safetensors" for cohort in runs]
    try:
        return {name: load_scores(paths) for name, paths in files.items()}
    except ValueError as error:
        raise UserError(f"{error}; run dvc repro to renew both") from None


def scores_of_source(source: str, runs: EarlyRuns, asked: list[str], folder: Path) -> dict[str, SeedScores]:
    """These scores of one source, by name. Also writes them to the folder, seed by seed."""
    scores = {name: compute(name, runs) for name in asked}
    for name, values in scores.items():
        save_scores(file_of(folder, source, name), values)
    return scores


if __name__ == "__main__":
    main(score)
