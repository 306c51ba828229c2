"""What training without labels learns, and what the distance to its prototypes ranks, beside that of trained networks.

    python benchmarks/self_supervised.py [--images FOLDER] [--first 5000] [--epochs 20] [--seeds 3]
        [--out .bench/self_supervised.json]

The first images of MNIST, at 14x14 pixels; of FOLDER, if it has train.parquet and test.parquet. A fifth of the labels
are wrong. The same network and training, once without labels and once with these labels. For each seed:

1. How often the five nearest training images, by the angle of the features, have the right label of a test image by
   their vote: of features without labels, of those of the weights at the start, and of the pixels.
2. The rank correlation of self_supervised_prototypes with prototype_distance, for every pair of seeds, and for the mean
   scores.
3. With what area under the ROC curve each finds the wrong labels: 0.5 is chance.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from winnow.analysis.detection import measures
from winnow.analysis.reliability import spearman
from winnow.datasets.build import build
from winnow.datasets.label_noise import randomise
from winnow.params.download import Download
from winnow.params.training import Network, Training
from winnow.scores.pretrained import of_pretrained
from winnow.storage import load_tensors, save_tensors
from winnow.training.batches import to_device
from winnow.training.device import chosen_device
from winnow.training.evaluate import with_features
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.loop import Run
from winnow.training.pretrain import keep_features, train_epoch, twins, unlabelled
from winnow.training.schedule import make_schedule

NOISE, NEIGHBOURS, NETWORK = 0.2, 5, Network(name="convnet", width=16)


def vote(train: np.ndarray, test: np.ndarray, labels: np.ndarray, truth: np.ndarray) -> float:
    """The fraction of test images whose label is the most frequent one of their nearest training images."""
    train, test = (own.reshape(len(own), -1).astype(np.float32) for own in (train, test))
    train, test = (own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-9) for own in (train, test))
    nearest = np.argpartition(test @ train.T, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
    votes = (labels[nearest][:, :, None] == np.arange(labels.max() + 1)).sum(axis=1)
    return float((votes.argmax(axis=1) == truth).mean())


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Measure what training without labels learns.")
    parser.add_argument("--images", help="a folder with train.parquet and test.parquet, in place of MNIST")
    parser.add_argument("--first", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(".bench/self_supervised.json"))
    options = parser.parse_args()
    source = {"source": "parquet", "path": options.images} if options.images else {"source": "mnist"}
    dataset = build(Download(**source, size=[14, 14], first=options.first, first_test=2000, validation=0.0))
    train, test, classes = dataset.splits["train"], dataset.splits["test"], len(dataset.class_names)
    facts, device = {"mean": dataset.mean, "std": dataset.std}, chosen_device()
    labels = randomise(train.labels, NOISE, classes, seed=0)
    wrong, seeds = labels != train.labels, list(range(options.seeds))
    images, of_test = to_device(train, facts, device), to_device(test, facts, device)
    training = Training(
        length=f"{options.epochs} epochs",
        warmup="1 epoch",
        decay_at=[f"{options.epochs // 2} epochs", f"{options.epochs * 4 // 5} epochs"],
    )
    schedule = make_schedule(training, len(images))

    both, noisy = (images, of_test), images.labelled(labels)

    def keep_both(run: Run) -> None:
        keep_features(images)(run)
        save_tensors(run.working / "test.safetensors", {"features": with_features(run.network.network, of_test)[1]})

    def keep_supervised(run: Run) -> None:
        save_tensors(run.working / "features.safetensors", {"features": with_features(run.network, images)[1]})

    def votes_of(features: list[np.ndarray]) -> float:
        return vote(*features, train.labels, test.labels)

    votes: dict[str, list[float]] = {"pixels": [votes_of([every.at(slice(None)).cpu().numpy() for every in both])]}
    with tempfile.TemporaryDirectory() as folder:
        without, supervised = Path(folder) / "without", Path(folder) / "with"
        task = Task(images, training, schedule, unlabelled(NETWORK, images.shape), one_epoch=train_epoch)
        fit_side_by_side({without: task}, seeds, "without labels", on_end=keep_both)
        task = Task(noisy, training, schedule, fresh(NETWORK, images, classes))
        fit_side_by_side({supervised: task}, seeds, "with labels", on_end=keep_supervised)
        begun = [twins(NETWORK, images.shape, seed).network.to(device) for seed in seeds]
        votes["weights at the start"] = [
            votes_of([with_features(own, each)[1] for each in (images, of_test)]) for own in begun
        ]
        files = [[without / f"seed{seed}/{name}.safetensors" for name in ("features", "test")] for seed in seeds]
        votes["without labels"] = [votes_of([load_tensors(file)["features"] for file in own]) for own in files]
        scores = {
            "self_supervised_prototypes": of_pretrained("self_supervised_prototypes", without, classes).values[:, 0],
            "prototype_distance": of_pretrained("self_supervised_prototypes", supervised, classes).values[:, 0],
        }
    ours, theirs = scores.values()
    record = {
        "images": len(images),
        "wrong": int(wrong.sum()),
        "votes": votes,
        "rank_correlations": [spearman(a, b) for a in ours for b in theirs],
        "rank_correlation_of_means": spearman(ours.mean(axis=0), theirs.mean(axis=0)),
        "auroc": {name: [measures(wrong, own)["auroc"] for own in values] for name, values in scores.items()},
    }
    print(f"{len(images)} images, {wrong.sum()} wrong labels, {options.seeds} seeds: lowest, mean, highest")
    shown = {f"right by neighbours, {name}": values for name, values in votes.items()}
    shown["rank correlation of the two, every pair"] = record["rank_correlations"]
    shown["rank correlation of their means"] = [record["rank_correlation_of_means"]]
    shown |= {f"AUROC for wrong labels, {name}": values for name, values in record["auroc"].items()}
    for name, values in shown.items():
        print(f"{name:62} {min(values):.3f} {np.mean(values):.3f} {max(values):.3f}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
