"""Compares how well Winnow's scores find wrong labels with the package cleanlab, on the same networks, in one run.

    pip install '.[bench]'
    python benchmarks/detection.py [--experiment FOLDER] [--out .bench/detection.json]

cleanlab takes the mean probabilities of the networks that have not trained on the image, and ranks by each of its label
quality scores, with its class thresholds and without them. Winnow's detectors are the rows of plots/detection.csv for
the mean over all seeds at the last scored epoch: in, of the networks that have trained on the image, and out, of those
that have not. Beside the rankings stand the images that either calls issues by the confident joint, and those of
cleanlab's own default.

Without an experiment, ten networks are trained on scikit-learn's digits, a fifth of whose labels are drawn anew, each
on four folds of five: half a minute. An experiment is a folder that make repro has run in, with wrong labels and a
cohort with folds.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from winnow.analysis.detection import detection_table, measures
from winnow.datasets.build import build
from winnow.datasets.label_noise import randomise
from winnow.params.download import Download
from winnow.params.training import Augment, Network, Training
from winnow.scores.compute import compute
from winnow.scores.of_outputs.confident_learning import confident_classes
from winnow.scores.out_of_sample import out_of_sample, unseen_outputs
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import SeedScores
from winnow.storage import load_table
from winnow.training.batches import to_device
from winnow.training.device import chosen_device
from winnow.training.early import early_schedule, keep_epochs, keep_visits, parts_of
from winnow.training.fit import Task, fit_side_by_side, fresh

try:
    import cleanlab
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores
except ImportError:
    sys.exit("error: benchmarks/detection.py compares with cleanlab: pip install '.[bench]'")

SCORES = ("el2n", "loss", "margin", "forgetting", "aum", "confident_learning")
SHOWN = ("auroc", "average_precision", "precision_100", "precision_1000", "precision_4500", "precision_wrong")
EPOCH, SEEDS, FOLDS, NOISE = 8, list(range(10)), 5, 0.2


def on_digits(folder: Path) -> tuple[list[EarlyRuns], np.ndarray]:
    """Runs of a cohort with folds on digits with wrong labels, and which labels are wrong, bool [n]."""
    dataset = build(Download(source="digits", validation=0.1))
    train, classes = dataset.splits["train"], len(dataset.class_names)
    labels = randomise(train.labels, NOISE, classes, seed=0)
    facts = {"mean": dataset.mean, "std": dataset.std}
    images, validation = (to_device(dataset.splits[name], facts, chosen_device()) for name in ("train", "validation"))
    images, parts = images.labelled(labels), parts_of(SEEDS, FOLDS, len(labels))
    training = Training(batch_size=64, warmup="1 epoch", augment=Augment(crop=1))
    schedule = early_schedule(training, min(map(len, parts.values())), [EPOCH])
    task = Task(images, training, schedule, fresh(Network(name="convnet", width=16), images, classes, parts))
    keep = keep_epochs(images, validation, [EPOCH])
    fit_side_by_side({folder: task}, SEEDS, "ten networks", keep_visits(len(labels)), keep)
    return [EarlyRuns(folder, labels, Path())], labels != train.labels


def of_experiment(root: Path) -> tuple[list[EarlyRuns], np.ndarray]:
    """The early runs of all cohorts of a finished experiment, and which labels are wrong, bool [n]."""
    table = load_table(root / "data/labels.parquet")
    labels = table["label"].to_numpy()
    folders = sorted(path for path in (root / "data/early").iterdir() if path.is_dir())
    return [EarlyRuns(path, labels, root / "data/images") for path in folders], labels != table["true_label"].to_numpy()


def ours(cohorts: list[EarlyRuns], wrong: np.ndarray) -> dict[str, dict[str, float]]:
    """Measures of every score of all cohorts at the last epoch, seen and unseen."""
    scores = {}
    for name in SCORES:
        parts = [compute(name, runs) for runs in cohorts]
        values, seeds = np.concatenate([part.values for part in parts]), [s for part in parts for s in part.seeds]
        scores[name] = SeedScores(values[:, -1:], seeds, parts[0].epochs[-1:])
    unseen = {
        name: SeedScores(part.values[:, -1:], part.seeds, part.epochs[-1:])
        for name, part in out_of_sample(SCORES, cohorts).items()
    }
    table = detection_table(wrong, {"in": scores, "out": unseen})
    rows = table.groupby(["detector", "sample"], sort=False).last().reset_index()
    return {
        f"winnow {row['detector']} {row['sample']}": {name: row[name] for name in SHOWN}
        for row in rows.to_dict("records")
    }


def theirs(probabilities: np.ndarray, labels: np.ndarray, wrong: np.ndarray) -> dict[str, dict[str, float]]:
    """Measures of each of cleanlab's label quality scores, which are low where the label is doubted."""
    found = {}
    for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
        for adjusted in (False, True) if method != "confidence_weighted_entropy" else (False,):
            quality = get_label_quality_scores(labels, probabilities, method=method, adjust_pred_probs=adjusted)
            found[f"cleanlab {method}{' adjusted' if adjusted else ''}"] = measures(wrong, -quality)
    return found


def issues(probabilities: np.ndarray, labels: np.ndarray, wrong: np.ndarray) -> dict[str, dict[str, float]]:
    """How many images each calls issues, and the precision and recall of these."""
    confident = confident_classes(probabilities, labels)
    sets: Mapping[str, np.ndarray] = {
        "winnow confident joint": (confident >= 0) & (confident != labels),
        "cleanlab confident joint": find_label_issues(labels, probabilities, filter_by="confident_learning"),
        "cleanlab default": find_label_issues(labels, probabilities),
    }
    return {
        name: {"count": int(set_.sum()), "precision": wrong[set_].mean(), "recall": set_[wrong].mean()}
        for name, set_ in sets.items()
    }


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Compare the detection of wrong labels with cleanlab's.")
    parser.add_argument("--experiment", type=Path, help="a folder in which make repro has run")
    parser.add_argument("--out", type=Path, default=Path(".bench/detection.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cohorts, wrong = of_experiment(options.experiment) if options.experiment else on_digits(Path(folder) / "early")
        labels, outputs = cohorts[0].labels, unseen_outputs(cohorts, cohorts[0].epochs[-1])
        if not len(outputs):
            sys.exit("error: some image was left out by no network: give early.cohorts one with folds")
        probabilities = np.exp(outputs, dtype=np.float64).mean(axis=0)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        rankings = ours(cohorts, wrong) | theirs(probabilities, labels, wrong)
    found = issues(probabilities, labels, wrong)

    print(f"{len(wrong)} images, {wrong.sum()} wrong labels, cleanlab {cleanlab.__version__}")
    print(f"{'':46}" + "".join(f"{name.replace('average_precision', 'av_precision'):>16}" for name in SHOWN))
    for name, row in rankings.items():
        print(f"{name:46}" + "".join(f"{row[measure]:16.4f}" for measure in SHOWN))
    for name, row in found.items():
        print(f"{name:46} {row['count']} issues, precision {row['precision']:.4f}, recall {row['recall']:.4f}")
    packages = ("winnow", "cleanlab")
    best = {own: max(row["auroc"] for name, row in rankings.items() if name.startswith(own)) for own in packages}
    print(f"best area under the ROC curve: {best['winnow']:.5f}, cleanlab {best['cleanlab']:.5f} (target: not below)")

    options.out.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "images": len(wrong),
        "wrong": int(wrong.sum()),
        "rankings": rankings,
        "issues": found,
        "best_auroc": best,
    }
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
