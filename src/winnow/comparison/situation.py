"""What advice depends on, of the project in the working directory: from params.yaml, and from what its stages left."""

from pathlib import Path

import numpy as np

from winnow.comparison.additions import PARAMS
from winnow.cost.sizes import SOURCES
from winnow.datasets.images import load_facts
from winnow.datasets.long_tail import class_sizes
from winnow.errors import UserError
from winnow.experiment import Params
from winnow.selection.advice import SCORE, Situation
from winnow.storage import load_column, load_json, load_table

ASSUMED = 0.1  # of the labels, where labels.file has wrong ones and nothing has counted them yet


def situation(params: Params, wrong: float | None = None) -> Situation:
    """What is known of the project: from params.yaml, and from what its stages have left. wrong: as in ``advice``."""
    images, classes, imbalance = _images(params)
    scored = [epoch for epoch in params.early.epochs if epoch]
    if not scored:
        raise UserError(
            f"{PARAMS}: early.epochs: [0] is before training, when scores choose no better than chance: add a later "
            "epoch, such as 4"
        )
    epoch = params.select.epoch if params.select.epoch in scored else scored[-1]
    kept = [one for one in params.early.features if one]
    own = epoch if epoch in kept or not kept else kept[-1]
    known, detector = _wrong(params, classes, epoch)
    results = Path("metrics/summary.json")
    taught = any(recipe.teacher for recipe in params.retrain.recipes.values())
    return Situation(
        images=images,
        classes=classes,
        epoch=None if epoch == params.select.epoch else epoch,
        wrong=known if wrong is None else wrong,
        imbalance=imbalance,
        accuracy=load_json(results).get("full") if results.exists() else None,
        detector=detector,
        features=bool(kept),
        features_epoch=None if own == epoch else own,
        validation=params.download.validation > 0,
        teacher=taught or Path("data/retrain/full").is_dir(),
        epochs=params.retrain.budget == "epochs",
        batch=params.retrain.training.batch_size,
    )


def _images(params: Params) -> tuple[int | None, int | None, float]:
    """How many images there are to train on, of how many classes, and how many times as many the largest has as the
    smallest: what download and labels have left, or what the source is known to have."""
    download, facts, table = params.download, Path("data/images"), Path("data/labels.parquet")
    if (facts / "dataset.json").exists():
        found = load_facts(facts)
        if found.get("source") == download.source and found.get("long_tail") == download.long_tail:
            known, names = int(found["images"]["train"]), len(found["class_names"])
            of_class = np.bincount(load_column(table, "label")) if table.exists() else np.zeros(0)
            imbalance = download.long_tail or (of_class.max() / max(1, of_class.min()) if of_class.any() else 1.0)
            return min(known, download.first or known), names, float(imbalance)
    usual = SOURCES.get(download.source)
    images, classes = (usual.train, usual.classes) if usual else (download.first, None)
    if images is None:
        return None, classes, download.long_tail or 1.0
    images = min(images, download.first or images)
    if download.long_tail and classes:
        images = int(class_sizes(np.full(classes, images // classes), download.long_tail).sum())
    return round(images * (1 - download.validation)), classes, download.long_tail or 1.0


def _wrong(params: Params, classes: int | None, epoch: int) -> tuple[float, str]:
    """The fraction of the labels that are known to be wrong, and the score that finds them best at an epoch."""
    labels, table = params.labels, Path("plots/detection.csv")
    if not labels.noise and not (labels.file and labels.right == "source"):
        return 0.0, SCORE
    counted, detector = None, SCORE
    if table.exists():
        rows = load_table(table)
        chance = rows.loc[rows["detector"] == "chance", "average_precision"]
        counted = float(chance.iloc[0]) if len(chance) else None
        names = [*params.score.scores, *params.score.gradients]
        known = rows[(rows["sample"] == "in") & (rows["epoch"] == epoch) & rows["detector"].isin(names)]
        best = known.groupby("detector", sort=False)["auroc"].last().dropna()  # of all seeds
        detector = str(best.idxmax()) if len(best) else detector
    if labels.noise:  # a label drawn anew is right by chance
        return labels.noise * (1 - 1 / classes if classes else 1), detector
    return (ASSUMED if counted is None else counted), detector
