"""Made-up tables of sparse networks with the columns their pictures read."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from winnow.analysis.curves import perturbation_curves
from winnow.analysis.histograms import weight_histograms
from winnow.analysis.spread import spread
from winnow.analysis.summary import successive_pairs
from winnow.params.pruning import Level

EPSILON = 0.005
LINES = (("imp", "early", "full"),)
MANY_LINES = (
    ("imp", "early", "full"),
    ("imp", "easy", "full"),
    ("imp", "early", "el2n-0.5"),
    ("learning_rate", "early", "full"),
    ("fine_tuning", "early", "full"),
    ("one_shot", "early", "full"),
    ("adaptive", "early", "full"),
    ("random", "early", "full"),
    ("fresh", "early", "full"),
)


def level_names(levels: int, line: int = 0) -> list[str]:
    """The dense network and so many levels of one line."""
    return ["dense", *(f"l{i}" if line == 0 else f"line{line}-l{i}" for i in range(1, levels + 1))]


def tickets(lines: Sequence[tuple[str, str, str]] = LINES, levels: int = 12, seeds: int = 3) -> pd.DataFrame:
    """Networks that stay as good as the dense one down to a fraction of the weights that differs by line."""
    random = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        for split in ("train", "validation", "test"):
            dense = (0.01 if split == "train" else 0.085) + random.normal(0, 0.001)
            rows.append(("dense", "", "dense", "", "full", seed, split, 1.0, dense, 3 * dense, np.nan, np.nan))
            for number, (variant, rewind, data) in enumerate(lines):
                names = level_names(levels, number)
                for level in range(1, levels + 1):
                    left = 0.8**level * (1 + 0.02 * random.normal() if variant == "adaptive" else 1)
                    falls = 0.02 * (number + 1) ** 1.3
                    error = dense + 0.4 * max(falls / left - 0.5, 0) ** 0.8 * falls + random.normal(0, 0.001)
                    error = min(error, 0.9)
                    after, twice = min(error + 0.02 + 0.03 * level, 0.9), min(error + 0.2 + 0.05 * level, 0.9)
                    row = (names[level], names[level - 1], variant, rewind, data, seed, split, left, error, 3 * error)
                    rows.append((*row, after, twice))
    columns = ["level", "parent", "variant", "rewind", "data", "seed", "split", "density", "error", "loss"]
    return pd.DataFrame(rows, columns=[*columns, "error_after_cut", "error_after_two_cuts"])


def barriers(table: pd.DataFrame) -> pd.DataFrame:
    """Every two levels of each line, and of the dense network; the worse and the further apart, the higher."""
    random = np.random.default_rng(1)
    levels = table[table["split"] == "test"].groupby("level", sort=False)
    error, parent = levels["error"].mean().to_dict(), levels["parent"].first().to_dict()
    rows = []
    for b in error:
        a, steps = parent[b], 1
        while a:
            for split in ("train", "test"):
                for seed in table["seed"].unique():
                    excess = max(error[a] - error["dense"], 0) + max(error[b] - error["dense"] - EPSILON, 0)
                    barrier = min(0.002 + abs(1.5 * steps * excess + random.normal(0, 0.0007)), 0.8)
                    rows.append((a, b, seed, split, barrier, 0.5, 3 * barrier))
            a, steps = parent[a], steps + 1
    return pd.DataFrame(rows, columns=["a", "b", "seed", "split", "barrier", "place", "loss_barrier"])


def verdicts(table: pd.DataFrame, pairs: pd.DataFrame, epsilon: float = EPSILON) -> pd.DataFrame:
    """One row per level of the tables of tickets and of barriers."""
    of_test = table[table["split"] == "test"]
    grouped = of_test.groupby(["level", "parent", "variant", "rewind", "data"], sort=False)
    result = grouped.agg(density=("density", "mean"), error=("error", "mean")).reset_index()
    result[["low", "high", "replicates"]] = spread(of_test, ["level"], "error")[["low", "high", "count"]]
    means = pairs[pairs["split"] == "test"].groupby(["a", "b"])["barrier"].mean()
    result["matching"] = result["error"] <= result["error"][0] + EPSILON
    result["epsilon"] = epsilon
    result["barrier_to_parent"] = [
        means.get((a, b), np.nan) for a, b in zip(result["parent"], result["level"], strict=True)
    ]
    connected = (result["barrier_to_parent"] <= EPSILON).astype(object)
    result["connected_to_parent"] = connected.where(result["barrier_to_parent"].notna())
    return result


def pairs(table: pd.DataFrame, between: pd.DataFrame) -> pd.DataFrame:
    """Every level and its parent, whatever the two were trained on; of the tables of verdicts and of barriers."""
    of_parents = table.loc[table["parent"] != "", ["level", "parent"]].itertuples(index=False, name=None)
    levels = {level: Level(parent=parent, rewind="dense", data="full", prune=0.5) for level, parent in of_parents}
    found = successive_pairs(table.assign(rewind="", data=""), between, levels)
    kinds = table.set_index("level").loc[found["level"], ["variant", "rewind", "data"]]
    return found.assign(**{kind: kinds[kind].to_numpy() for kind in kinds})


def lines(pairs: int = 12, seeds: int = 3, points: int = 11) -> pd.DataFrame:
    """Successive levels; the later, the higher the error between them."""
    random = np.random.default_rng(2)
    names = level_names(pairs)
    rows = []
    for number in range(pairs):
        for seed in range(seeds):
            for alpha in np.linspace(0, 1, points).round(6):
                for split in ("train", "test"):
                    base = 0.0 if split == "train" else 0.08
                    hill = 0.7 / (1 + np.exp(10 - number)) * 4 * alpha * (1 - alpha)
                    error = base + 0.001 * number + hill + abs(random.normal(0, 0.002))
                    rows.append((names[number], names[number + 1], seed, alpha, split, error, 3 * error))
    return pd.DataFrame(rows, columns=["a", "b", "seed", "alpha", "split", "error", "loss"])


def spectra(levels: int = 5, seeds: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A bulk at zero, a short negative side and ten outliers; smoothed densities by seed, and the outliers."""
    random = np.random.default_rng(3)
    x = np.concatenate([-np.geomspace(5, 0.01, 60), np.linspace(-0.0099, 0.0099, 21), np.geomspace(0.01, 300, 200)])
    densities, outliers = [], []
    for number, level in enumerate(level_names(levels - 1)):
        for seed in range(seeds):
            top = 200 * 0.8**number * np.geomspace(1, 0.05, 10) * np.exp(random.normal(0, 0.05, 10))
            width = 0.02 + 0.05 * np.abs(x)
            density = 0.9 * np.exp(-np.abs(x) / 0.05) / 0.1 + 0.02 * np.exp(-np.abs(x) / (0.3 if number else 0.5))
            for eigenvalue in top:
                density = density + 3e-5 * np.exp(-((x - eigenvalue) ** 2) / (2 * width**2)) / width
            densities += [(level, seed, at, value) for at, value in zip(x, density, strict=True)]
            outliers += [(level, seed, rank, value) for rank, value in enumerate(top, 1)]
    return (
        pd.DataFrame(densities, columns=["level", "seed", "x", "density"]),
        pd.DataFrame(outliers, columns=["level", "seed", "rank", "eigenvalue"]),
    )


def cuts(levels: int = 12, seeds: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predicted limits that fall level by level, and four children of every second level."""
    random = np.random.default_rng(4)
    predicted, measured = [], []
    for number, level in enumerate(level_names(levels - 1)):
        limit = max(0.9 - 0.05 * number, 0.1)
        for seed in range(seeds):
            low = limit + random.normal(0, 0.02)
            predicted.append((level, 0.8**number, seed, low, low + 0.05))
        for cut in (0.2, 0.4, 0.6, 0.8) if number % 2 == 0 else ():
            measured.append((level, 0.8**number, f"{level}-cut{cut}", cut, max(cut - limit, 0), cut <= limit + 0.05))
    return (
        pd.DataFrame(predicted, columns=["level", "density", "seed", "predicted_low", "predicted_high"]),
        pd.DataFrame(measured, columns=["level", "density", "child", "cut", "barrier", "in_lcs"]),
    )


def magnitudes(levels: int = 12, weights: int = 50_000) -> pd.DataFrame:
    """Histograms of normal weights: cut by a fifth at the smallest, then spread anew."""
    random = np.random.default_rng(5)
    edges = np.concatenate([[0.0], np.geomspace(1e-4, 2, 61)])
    live = random.normal(0, 0.05, weights)
    names = level_names(levels)
    rows = []
    for parent, level in pairwise(names):
        after = live[np.abs(live) >= np.quantile(np.abs(live), 0.2)]
        retrained = 0.8 * after + random.normal(0, 0.4 * after.std(), len(after))
        for moment, values in (("before", live), ("after", after), ("retrained", retrained)):
            counts, _ = np.histogram(np.abs(values), edges)
            for layer, fraction in (("all", 1.0), ("conv.weight", 0.25)):
                bins = zip(edges[:-1], edges[1:], counts, strict=True)
                rows += [(level, parent, moment, layer, low, high, fraction * count) for low, high, count in bins]
        live = retrained
    return pd.DataFrame(rows, columns=["level", "parent", "moment", "layer", "low", "high", "count"])


def densities(levels: int = 12, layers: int = 20) -> pd.DataFrame:
    """First and last layers are cut less than the wide ones in between."""
    rows = []
    for number, level in enumerate(level_names(levels)):
        for layer in range(layers):
            power = 0.5 if layer in (0, layers - 1) else 0.8 + 0.5 * layer / layers
            name = f"stages.{layer // 6}.blocks.{layer // 2 % 3}.conv{layer % 2 + 1}.weight"
            rows.append((level, 0.8**number, f"{layer}.{name}", 432 * 4 ** (layer // 5), 0.8 ** (power * number)))
    return pd.DataFrame(rows, columns=["level", "of_level", "layer", "size", "density"])


def perturbations(
    multiples: Sequence[float] = (0, 0.5, 1, 2, 4, 8),
    rewinds: Sequence[tuple[str, int]] = (("start", 0), ("early", 500), ("late", 2000)),
    seeds: int = 3,
) -> pd.DataFrame:
    """The later the rewind point, the longer the perturbation that is returned from."""
    random = np.random.default_rng(6)
    rows = []
    for rewind, steps in rewinds:
        for multiple in multiples:
            for seed in range(seeds):
                for split in ("train", "test"):
                    barrier = 0.5 / (1 + (0.5 + steps / 300) ** 2 * 4 / (multiple**2 + 0.01)) if multiple else 0.0
                    barrier = barrier * (1 + 0.2 * random.random())
                    error = 0.085 + 0.02 * barrier + random.normal(0, 0.001)
                    row = (f"from-{rewind}", "l5", rewind, steps, seed, multiple, 3.2 * multiple, split, error, barrier)
                    rows.append(row)
    columns = ["run", "level", "rewind", "rewind_steps", "seed", "multiple", "length", "split", "error", "barrier"]
    return pd.DataFrame(rows, columns=columns)


def histograms(table: pd.DataFrame, layer: str = "all") -> pd.DataFrame:
    """Of the table of magnitudes, all levels."""
    return weight_histograms(table, table["level"], layer)


def references(perturbed: pd.DataFrame) -> pd.DataFrame:
    """Of each run of a table of perturbations the unperturbed error, and the barrier of the cut."""
    rows = perturbed[["run", "seed", "split"]].drop_duplicates()
    return rows.assign(error=0.08 + 0.001 * rows["seed"], barrier=0.002 + 0.001 * rows["seed"])


def curves(perturbed: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Of the tables of perturbations and of references."""
    barriers = given[given["split"] == "test"].groupby("run", as_index=False)["barrier"].mean()
    levels = barriers.set_axis(["level", "barrier_to_parent"], axis=1)
    runs = {run: run for run in barriers["run"]}
    return perturbation_curves(perturbed, given.assign(alpha=0.0), levels, runs)


def children(steps: Sequence[int] = (0, 100, 200, 500, 1000, 2000, 8000, 32000), seeds: int = 3) -> pd.DataFrame:
    """Children that part later end nearer to each other."""
    random = np.random.default_rng(7)
    rows = []
    for at in steps:
        for seed in range(seeds):
            for split, scale in (("train", 0.9), ("test", 0.8)):
                barrier = scale * np.exp(-at / 300) * (1 + 0.1 * random.random()) + 0.002 * random.random()
                rows.append((at, "a", "b", seed, split, barrier, 0.5, 3 * barrier))
    return pd.DataFrame(rows, columns=["at", "a", "b", "seed", "split", "barrier", "place", "loss_barrier"])


def children_on_subsets(
    steps: Sequence[int] = (0, 100, 200, 500, 1000, 2000, 8000, 32000), seeds: int = 3
) -> pd.DataFrame:
    """Barriers and connected images, which come with the step, on easy images earlier."""
    random = np.random.default_rng(8)
    rows = []
    for at in steps:
        for seed in range(seeds):
            for subset, scale in (("train", 0.4), ("test", 0.4), ("lowest", 0.1), ("random", 0.5), ("highest", 0.9)):
                barrier = scale * np.exp(-at / (1000 * scale)) * (1 - 0.1 * random.random())
                rows.append((at, seed, 1 - barrier * random.random(), subset, barrier))
    return pd.DataFrame(rows, columns=["at", "seed", "connected", "subset", "barrier"])


def of_levels(layers: pd.DataFrame) -> pd.DataFrame:
    """The level and density of every level of ``densities``."""
    return layers[["level", "of_level"]].drop_duplicates().set_axis(["level", "density"], axis=1)
