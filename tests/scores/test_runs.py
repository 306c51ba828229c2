"""From the files that early training leaves to scores, and from scores to files."""

import re
from math import log, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import winnow.scores.compute
from winnow import methods
from winnow.datasets.images import Dataset, Images, save_dataset
from winnow.scores.columns import column, parse_column
from winnow.scores.compute import compare_seeds, compute
from winnow.scores.families import OF_FILES, OF_GRADIENTS
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import NO_EPOCH, SeedScores, load_scores, save_scores
from winnow.storage import save_tensors

LABELS = np.array([0, 1, 1])
SEEDS, EPOCHS = [2, 10], [0, 2, 10]


def probability(seed: int, epoch: int) -> float:
    return (1 + seed + epoch) / 25


@pytest.fixture
def runs(tmp_path) -> EarlyRuns:
    """Two seeds: every image has class 0 with a probability that tells seed and epoch."""
    for seed in SEEDS:
        folder = tmp_path / "early" / f"seed{seed}"
        for epoch in EPOCHS:
            p = probability(seed, epoch)
            save_tensors(
                folder / f"epoch{epoch}.safetensors", {"log_probabilities": np.log(np.float32([[p, 1 - p]] * 3))}
            )
        correct = np.tile(np.array([[1, 0, 1], [0, 0, 1]] * 5, np.uint8), 1)
        save_tensors(folder / "correct.safetensors", {"correct": correct if seed == 2 else 1 - correct})
        margins = np.tile(np.array([[1, -2, seed], [3, np.nan, seed]], np.float16), (5, 1))
        save_tensors(folder / "margins.safetensors", {"margins": margins})
        save_tensors(folder / "losses.safetensors", {"losses": -np.log(np.float16([[0.5, 0.25, 1]] * 10))})
        save_tensors(folder / "seen.safetensors", {"seen": np.ones(3, np.uint8)})
    pixels = np.array([0, 51, 255], np.uint8).reshape(3, 1, 1, 1)
    train = Images(pixels, LABELS, np.array(["a", "b", "c"]), np.arange(3))
    none = train.take(slice(0, 0))
    save_dataset(
        tmp_path / "images", Dataset({"train": train, "validation": none, "test": none}, ["x", "y"], [0], [0.2]), {}
    )
    return EarlyRuns(tmp_path / "early", LABELS, tmp_path / "images")


def score(name: str, runs: EarlyRuns) -> SeedScores:
    return compute(name, runs)


def test_seeds_and_epochs_are_in_the_order_of_their_numbers(runs):
    assert runs.seeds == SEEDS
    assert runs.epochs == EPOCHS
    assert [path.parent.name for path in runs.histories] == ["seed2", "seed10"]


@pytest.mark.parametrize(
    ("name", "of_class_0", "of_class_1"),
    [
        ("el2n", lambda p: sqrt(2) * (1 - p), lambda p: sqrt(2) * p),
        ("loss", lambda p: -log(p), lambda p: -log(1 - p)),
        ("margin", lambda p: 1 - 2 * p, lambda p: 2 * p - 1),
    ],
)
def test_every_seed_and_epoch_has_its_own_scores(runs, name, of_class_0, of_class_1):
    found = score(name, runs)
    p = np.array([[probability(seed, epoch) for epoch in EPOCHS] for seed in SEEDS])
    expected = np.stack([np.vectorize(of_class_0)(p), *[np.vectorize(of_class_1)(p)] * 2], axis=2)
    np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-6)
    assert (found.seeds, found.epochs, found.values.dtype) == (SEEDS, EPOCHS, np.float32)


@pytest.mark.parametrize("name", ["el2n", "confident_learning", "tdds", "memorization"])
@pytest.mark.parametrize("chunk", [1, 4])
def test_a_few_images_at_a_time_have_the_same_scores(tmp_path, monkeypatch, name, chunk):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 23)
    for seed in (0, 1):
        folder = tmp_path / f"seed{seed}"
        for epoch in range(4):
            outputs = np.log(rng.dirichlet(np.ones(3), 23)).astype(np.float32)
            save_tensors(folder / f"epoch{epoch}.safetensors", {"log_probabilities": outputs})
        save_tensors(folder / "seen.safetensors", {"seen": ((np.arange(23) % 5 == 0) == seed).astype(np.uint8)})
    runs = EarlyRuns(tmp_path, labels, Path())
    whole = compute(name, runs).values, compare_seeds("ensemble_agreement", [runs])[0].values
    monkeypatch.setattr(winnow.scores.compute, "CHUNK", chunk)
    parts = compute(name, runs).values, compare_seeds("ensemble_agreement", [runs])[0].values
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.isfinite(whole[0]).any()


def test_forgetting_counts_up_to_the_scored_epochs(runs):
    found = score("forgetting", runs)
    assert found.epochs == [2, 10]  # nothing was visited before epoch 1
    # seed 2: 1 0 1 0 … forgets at every second epoch; never right; always right. Seed 10 is the other way round.
    assert found.values.tolist() == [[[1, np.inf, 0], [5, np.inf, 0]], [[0, 0, np.inf], [4, 0, np.inf]]]


def test_aum_is_of_the_visits_up_to_the_scored_epochs(runs):
    found = score("aum", runs)
    assert found.epochs == [2, 10]
    assert found.values.tolist() == [[[-2, 2, -seed]] * 2 for seed in SEEDS]


def test_a_seed_has_no_score_of_an_image_that_it_has_not_trained_on(runs):
    whole = {name: score(name, runs).values for name in ("el2n", "forgetting", "aum", "input_norm")}
    save_tensors(runs.folder / "seed10" / "seen.safetensors", {"seen": np.array([1, 0, 1], np.uint8)})
    for name, values in whole.items():
        if name != "input_norm":
            values[1, :, 1] = np.nan
        np.testing.assert_array_equal(score(name, runs).values, values)


def test_scores_of_the_data_have_no_epoch(runs):
    norm, chance = score("input_norm", runs), score("random", runs)
    assert norm.epochs == chance.epochs == [NO_EPOCH]
    np.testing.assert_allclose(norm.values, [[[0, 1, 5]]] * 2, rtol=1e-6)
    assert chance.values.shape == (2, 1, 3)
    assert not np.array_equal(chance.values[0], chance.values[1])
    np.testing.assert_array_equal(chance.values, score("random", runs).values)


def test_every_score_has_its_module():
    for family in (*OF_FILES, OF_GRADIENTS):
        for name in methods.names(family):
            assert methods.find(family, name).__name__ == name
    with pytest.raises(ValueError, match="there is no score 'grand' of outputs, features, visits or data"):
        compute("grand", EarlyRuns(Path(), LABELS, Path()))


def test_every_score_is_in_the_table_of_the_documentation():
    text = Path(__file__).parents[2].joinpath("docs/selection.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)` \|", text.partition("## Policies")[0], re.MULTILINE)
    assert sorted(table) == sorted(name for family in (*OF_FILES, OF_GRADIENTS) for name in methods.names(family))


def test_a_cohort_without_runs(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"holds no seed<number> folder: '{tmp_path}'"):
        assert EarlyRuns(tmp_path, LABELS, tmp_path).seeds


# The files of scores


def test_cohorts_are_read_one_after_another(tmp_path):
    values = np.random.default_rng(0).random((3, 2, 4), np.float32)
    save_scores(tmp_path / "a", SeedScores(values[:1], [7], [0, 4]))
    save_scores(tmp_path / "b", SeedScores(values[1:], [1, 2], [0, 4]))
    found = load_scores(tmp_path / name for name in "ab")
    np.testing.assert_array_equal(found.values, values)
    assert (found.seeds, found.epochs) == ([7, 1, 2], [0, 4])


def test_cohorts_that_do_not_fit_together(tmp_path):
    save_scores(tmp_path / "a", SeedScores(np.zeros((1, 2, 4), np.float32), [0], [0, 4]))
    save_scores(tmp_path / "epochs", SeedScores(np.zeros((1, 2, 4), np.float32), [1], [0, 5]))
    save_scores(tmp_path / "images", SeedScores(np.zeros((1, 2, 5), np.float32), [1], [0, 4]))
    for other in ("epochs", "images"):
        with pytest.raises(ValueError, match=f"{tmp_path / other}: .* not those of {tmp_path / 'a'}"):
            load_scores([tmp_path / "a", tmp_path / other])


# The names of columns


@pytest.mark.parametrize(("name", "epoch"), [("el2n", 12), ("el2n", 0), ("input_norm", NO_EPOCH)])
def test_a_column_tells_its_score_and_epoch(name, epoch):
    assert parse_column(column(name, epoch)) == (name, epoch)
    assert parse_column(column(name, epoch, "stderr")) is None


def test_column_names():
    assert column("el2n", 4) == "el2n_epoch4_mean"
    assert column("input_norm", NO_EPOCH, "stderr") == "input_norm_stderr"
    table = pd.DataFrame(columns=["id", "position", "label", "class", "original_label", "true_label"])
    assert [parse_column(name) for name in table] == [None] * 6
