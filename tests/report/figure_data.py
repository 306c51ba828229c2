"""Made-up tables and images with the columns the pictures read."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from winnow.analysis.histograms import score_histograms

THREE = ("el2n", "grand", "random")
EIGHT = (*THREE, "forgetting", "el2n-window0.1", "grand-epoch0", "loss-perclass", "el2n-epoch10-window0.1-perclass")


def accuracies(
    methods: Sequence[str] = THREE, keeps: Sequence[float] = (0.3, 0.5, 0.7), seeds: int = 4, images: int = 1437
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of accuracies and of differences to random; whole keeps are numbers of images."""
    random = np.random.default_rng(0)
    rows = []
    for method in [*methods, "full"]:
        for keep in keeps if method != "full" else [1.0]:
            fraction = keep / images if isinstance(keep, int) else keep
            for seed in range(seeds):
                for split in ("validation", "test"):
                    value = 0.9 + 0.08 * fraction + random.normal(0, 0.01)
                    rows.append((method, keep, round(fraction * images), 50, 6400, fraction, 100 + seed, split, value))
    columns = ["method", "keep", "images", "steps", "visits", "fraction", "seed", "split", "accuracy"]
    accuracy = pd.DataFrame(rows, columns=columns)
    compared = []
    for method in methods:
        for keep in keeps if method != "random" else []:
            fraction = keep / images if isinstance(keep, int) else keep
            middle = random.normal(0, 0.02)
            reach = 0.01 if seeds > 1 else np.nan
            compared.append((method, keep, fraction, middle, middle - reach, middle + reach))
    differences = pd.DataFrame(compared, columns=["method", "keep", "fraction", "difference", "low", "high"])
    return accuracy, differences.assign(baseline="random")


def scores(images: int = 200, epochs: Sequence[int] = (0, 2, 10)) -> pd.DataFrame:
    """The table of all images; forgetting is +infinity for every image at epoch 0, and later for the first seven."""
    random = np.random.default_rng(1)
    table: dict[str, object] = {
        "id": [f"train-{i:05d}" for i in range(images)],
        "label": np.arange(images) % 10,
        "original_label": np.arange(images) % 10,
        "true_label": np.arange(images) % 10,
        "class": [str(i % 10) for i in range(images)],
    }
    for score in ("el2n", "forgetting", "margin"):
        for epoch in epochs:
            values = random.gamma(2, 0.2, images) - (0.5 if score == "margin" else 0)
            if score == "forgetting":
                values = random.binomial(5, 0.3, images) / 5
                values[: 7 if epoch else images] = np.inf
            table[f"{score}_epoch{epoch}_mean"] = values
            table[f"{score}_epoch{epoch}_stderr"] = np.nan
    table["input_norm_mean"] = random.normal(8, 1, images)
    table["random_mean"] = random.random(images)
    return pd.DataFrame(table)


def histograms(table: pd.DataFrame, noisy: np.ndarray | None = None) -> pd.DataFrame:
    """The histograms of the scores; ``noisy``: the images whose label was changed."""
    return score_histograms(table.assign(label=table["label"] + (0 if noisy is None else noisy)))


def correlations(names: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """One row for each ordered pair of these score columns, in this order."""
    rows = [
        (*a, *b, 1.0 if i == j else -0.35 + 1.3 * (i + j) / (2 * len(names)))
        for i, a in enumerate(names)
        for j, b in enumerate(names)
    ]
    return pd.DataFrame(rows, columns=["score_a", "epoch_a", "score_b", "epoch_b", "spearman"])


def reliability(seeds: Sequence[int] = (1, 2, 3, 4, 5)) -> pd.DataFrame:
    """Rising agreement for two scores at two epochs, and for one without an epoch."""
    rows = []
    for score, epoch in (("el2n", 0), ("el2n", 10), ("grand", 0), ("grand", 10), ("random", -1)):
        for count in seeds:
            middle = 1 - 0.5 / (count + max(epoch, 0))
            rows.append((score, epoch, count, middle, middle - 0.05, middle + 0.02))
    return pd.DataFrame(rows, columns=["score", "epoch", "seeds", "spearman", "low", "high"])


def history(seeds: int = 3, epochs: int = 10) -> pd.DataFrame:
    """Training curves whose learning rate falls at epochs 6 and 8; no validation images where there is one seed."""
    random = np.random.default_rng(2)
    rows = []
    for seed in range(seeds):
        for epoch in range(1, epochs + 1):
            loss = 2.3 * np.exp(-epoch / 4) + random.normal(0, 0.02)
            validation = loss + 0.1 if seeds > 1 else np.nan
            rate = 0.1 if epoch < 6 else 0.02 if epoch < 8 else 0.004
            rows.append((seed, epoch, rate, loss, 1 - loss / 2.6, validation, 1 - validation / 2.6))
    names = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
    return pd.DataFrame(rows, columns=["seed", "epoch", "learning_rate", *names])


def pictures(count: int, channels: int = 1, height: int = 8, width: int = 8) -> np.ndarray:
    """Images of noise, uint8 [count, channels, height, width]."""
    return np.random.default_rng(3).integers(0, 256, (count, channels, height, width), dtype=np.uint8)


def suspects(count: int, stderr: float = 0.01) -> pd.DataFrame:
    """A list for review with ids and class names too long for their place."""
    return pd.DataFrame(
        {
            "rank": np.arange(1, count + 1),
            "id": [f"train/an_automobile_with_trailer/picture_{i:06d}.jpeg" for i in range(count)],
            "given": "automobile with a trailer",
            "predicted": "$car_{1}$",
            "el2n": np.linspace(1.4, 1.2, count),
            "stderr": stderr,
        }
    )
