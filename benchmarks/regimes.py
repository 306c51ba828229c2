"""Does a higher learning rate of the dense training make better tickets? The test error of tickets over a grid of
learning rates and densities ("A three-regime model of network pruning", Zhou et al. 2023).

    python benchmarks/regimes.py [--experiment FOLDER] [--learning-rates 0.01 0.03 0.1 0.3]
                                 [--densities 0.5 0.2 0.1 0.05] [--seeds 3] [--out .bench/regimes]

The paper calls the learning rate a temperature, and the density a load. It trains dense networks at each temperature,
prunes them to each density by magnitude, the same fraction of every layer, and retrains all in the same way. Here too
only the dense training has the given learning rate; retraining is the experiment's own training, on the trained weights
that stay. Each ticket is retrained twice, with another order of the data. Between the two are measured

- the mode connectivity: the mean training error of the two less the error on the line between them, where the two
  differ most; below zero there is a barrier, above zero the ends are not at the bottom (Yang et al. 2021, "Taxonomizing
  local versus global structure in neural network loss landscapes", eq. 1)
- linear CKA of the features of the test images

The paper's regime I is poorly connected; II-A is connected, and II-B also alike. It claims that at low densities a
higher temperature helps, and that at high ones it hurts.

An experiment is a folder that winnow has run in: its images and the section dense are read. Without one, the images are
scikit-learn's digits. No stage of the pipeline does this: an experiment has one dense training.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize

from winnow.analysis.beyond import linear_cka
from winnow.analysis.gains import interval
from winnow.datasets.build import build
from winnow.datasets.images import Labelled, load_facts, load_split, sample
from winnow.experiment import load_params
from winnow.landscape.connectivity import line_between
from winnow.params.download import Download
from winnow.params.pruning import Level
from winnow.params.training import Network, Training
from winnow.pruning.masks import ones
from winnow.pruning.rule import Rule
from winnow.report.heatmap import Scale, heat_map
from winnow.report.style import Style, drawing, note, save
from winnow.storage import save_table
from winnow.tickets.files import load_ticket, save_ticket
from winnow.tickets.level import Material, begin_level
from winnow.tickets.rewind import about_dense
from winnow.tickets.rules import rule_of
from winnow.tickets.train import from_tickets
from winnow.training.batches import DeviceImages, to_device
from winnow.training.device import chosen_device
from winnow.training.evaluate import accuracy, with_features
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.loop import Run
from winnow.training.schedule import make_schedule

POINTS = 11  # on a line, as in the paper
NEXT = 1000  # what the second retraining adds to the seed of its order of data
DIGITS = Training(length="15 epochs", batch_size=64, warmup="1 epoch", decay_at=["8 epochs", "12 epochs"])
TICKET = "ticket.safetensors"


@dataclass(frozen=True)
class Setting:
    """What is trained on which images, and what errors are measured on."""

    network: Network
    training: Training  # of retraining, and but for its learning rate of the dense networks
    classes: int
    images: DeviceImages
    splits: dict[str, DeviceImages]  # train, a sample, and test


def of_experiment(folder: Path) -> Setting:
    dense, facts = load_params(folder / "params.yaml").dense, load_facts(folder / "data/images")
    parts = [load_split(folder / "data/images", "train", folder / "data/labels.parquet"),
             load_split(folder / "data/images", "test")]  # fmt: skip
    return _setting(dense.network, dense.training, facts, *parts, dense.eval_images)


def of_digits() -> Setting:
    made = build(Download(source="digits"))
    facts = {"class_names": made.class_names, "mean": made.mean, "std": made.std}
    parts = made.splits["train"], made.splits["test"]
    return _setting(Network(name="convnet", width=8), DIGITS, facts, *parts, 500)


def _setting(
    network: Network, training: Training, facts: Mapping[str, Any], train: Labelled, test: Labelled, eval_images: int
) -> Setting:
    images, some, of_test = (
        to_device(part, facts, chosen_device()) for part in (train, sample(train, eval_images), test)
    )
    return Setting(network, training, len(facts["class_names"]), images, {"train": some, "test": of_test})


def grid(setting: Setting, rates: Sequence[float], densities: Sequence[float], seeds: Sequence[int]) -> pd.DataFrame:
    """One row per ticket: learning_rate, density, seed, error (of the test images, the mean of the two retrainings),
    dense_error, mode_connectivity (fractions) and cka."""
    images, schedule = setting.images, make_schedule(setting.training, len(setting.images))
    about = about_dense(setting.network, setting.classes, images.shape)
    rules = {density: _rule(density) for density in densities}
    material = Material(images, setting.splits)

    def keep(run: Run) -> None:
        save_ticket(run.working / TICKET, run.network.state_dict(), run.mask or ones(run.network), about)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begin = fresh(setting.network, images, setting.classes)
        dense = {
            folder / f"{rate:g}": Task(images, own, make_schedule(own, len(images)), begin)
            for rate in rates
            for own in [setting.training.model_copy(update={"learning_rate": rate})]
        }
        fit_side_by_side(dense, seeds, "dense networks", keep)
        again = {}
        for rate in rates:
            for density, rule in rules.items():
                begun = folder / f"{rate:g}-{density:g}"
                for seed in seeds:
                    parent = load_ticket(folder / f"{rate:g}/seed{seed}" / TICKET)
                    save_ticket(begun / f"seed{seed}.safetensors", *begin_level(rule, parent, {}, seed, material))
                for turn in (0, 1):
                    order = [seed + turn * NEXT for seed in range(max(seeds) + 1)]
                    begin_again = from_tickets(begun, order=order.__getitem__)
                    again[begun / f"{turn}"] = Task(images, setting.training, schedule, begin_again)
        fit_side_by_side(again, seeds, "tickets, twice each", keep)
        rows = []
        for rate in rates:
            for seed in seeds:
                dense_error = _measured(folder / f"{rate:g}/seed{seed}" / TICKET, setting)[0]
                for density in densities:
                    two = [folder / f"{rate:g}-{density:g}/{turn}/seed{seed}" / TICKET for turn in (0, 1)]
                    (one, of_one), (other, of_other) = (_measured(path, setting) for path in two)
                    line = line_between(*(load_ticket(path).network for path in two), POINTS, setting.splits,
                                        "recalibrated")  # fmt: skip
                    errors = line[line["split"] == "train"].sort_values("alpha")["error"].to_numpy()
                    connected, alike = mode_connectivity(errors), linear_cka(of_one, of_other)
                    rows.append((rate, density, seed, (one + other) / 2, dense_error, connected, alike))
    columns = ["learning_rate", "density", "seed", "error", "dense_error", "mode_connectivity", "cka"]
    return pd.DataFrame(rows, columns=columns)


def _rule(density: float) -> Rule:
    level = Level(parent="dense", rewind="dense", data="full", allocation="uniform", weights="trained",
                  schedule="full", prune=1 - density)  # fmt: skip
    return rule_of("ticket", level, floor=1)


def _measured(path: Path, setting: Setting) -> tuple[float, np.ndarray]:
    """The test error of a network, and its features of the test images."""
    test = setting.splits["test"]
    outputs, features = with_features(load_ticket(path).network.to(test.device), test)
    return 1 - accuracy(outputs, test.labels.cpu().numpy()), features


def mode_connectivity(values: np.ndarray) -> float:
    """The mean of the first and the last value, less the value that differs most from it."""
    mean = (values[0] + values[-1]) / 2
    return float(mean - values[np.abs(values - mean).argmax()])


def effects(found: pd.DataFrame) -> pd.DataFrame:
    """For each density, falling: the learning rate of the lowest mean test error (best), the mean error at the highest
    learning rate less that at the lowest (change), and its 95% interval over seeds (low and high, Student's t)."""
    rows = []
    for density, own in sorted(found.groupby("density"), reverse=True):
        table = own.pivot_table(index="seed", columns="learning_rate", values="error")
        changes = (table[table.columns.max()] - table[table.columns.min()]).to_numpy()
        rows.append((density, table.mean().idxmin(), changes.mean(), *interval(changes)))
    return pd.DataFrame(rows, columns=["density", "best", "change", "low", "high"])


def _in_words(row: Mapping[Any, Any]) -> str:
    told = "helps" if row["high"] < 0 else "hurts" if row["low"] > 0 else "not told apart"
    ends = f"{100 * row['low']:+.2f} to {100 * row['high']:+.2f}"
    changed = f"{100 * row['change']:+.2f} points of test error ({ends})"
    return f"{100 * row['density']:g}% left: {changed}, {told}; lowest error at {row['best']:g}"


def draw(found: pd.DataFrame, folder: Path) -> None:
    """A heat map of the means over seeds for each measure: a row for each learning rate, a column for each density."""
    measures = {"error": ("test error (%)", 100), "mode_connectivity": ("mode connectivity (points)", 100),
                "cka": ("CKA of two retrainings", 1)}  # fmt: skip
    style = Style()
    for measure, (words, unit) in measures.items():
        means = found.pivot_table(index="learning_rate", columns="density", values=measure) * unit
        table = means.loc[sorted(means.index, reverse=True), sorted(means.columns, reverse=True)]
        table.index, table.columns = table.index.map("{:g}".format), (100 * table.columns).map("{:g}%".format)
        text = f"{{:.{2 if unit == 1 else 1}f}}".format
        low, high = float(table.min(axis=None)), float(table.max(axis=None))
        ends = [float(text(low)), float(text(high))]
        scale = Scale(Normalize(low, max(high, low + 1e-9)), words, sorted({*ends}), text)
        with drawing(style):
            figure, axes = heat_map(table, scale, style)
            axes.set(xlabel="Weights left", ylabel="Dense learning rate")
            note(axes, "mean over seeds; retraining is the same for all", style)
            save(figure, folder / f"{measure}.png", 110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiment", type=Path)
    parser.add_argument("--learning-rates", type=float, nargs="+", default=[0.01, 0.03, 0.1, 0.3])
    parser.add_argument("--densities", type=float, nargs="+", default=[0.5, 0.2, 0.1, 0.05])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(".bench/regimes"))
    given = parser.parse_args()
    setting = of_experiment(given.experiment) if given.experiment else of_digits()
    found = grid(setting, sorted(given.learning_rates), given.densities, range(given.seeds))
    save_table(given.out / "tickets.csv", found)
    of_rates = effects(found)
    save_table(given.out / "effects.csv", of_rates)
    draw(found, given.out)
    print("the highest learning rate of the dense training against the lowest:")
    for row in of_rates.to_dict("records"):
        print(f"  {_in_words(row)}")
    print(f"{given.out}: the tables tickets.csv and effects.csv, and a picture of each measure")


if __name__ == "__main__":
    main()
