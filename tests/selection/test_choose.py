"""Subsets by short names, from the table of scores, as the stage chooses them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.counts import kept
from winnow.params.select import Select
from winnow.params.sweep import Sweep
from winnow.scores.aggregate import score_table
from winnow.scores.seed_scores import SeedScores, save_scores
from winnow.selection.choices import all_choices, all_subsets, choices
from winnow.selection.choose import choose
from winnow.selection.evidence import Given
from winnow.selection.of_runs import OfRuns, mean_over, missing_classes

CLASSES = ["cat", "dog"]


def table(images: int = 40, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"train/{row}" for row in range(images)],
            "position": np.arange(images) * 2,
            "label": rng.permutation(np.arange(images) % 2),
            "el2n_epoch0_mean": rng.random(images, np.float32),
            "el2n_epoch4_mean": rng.random(images, np.float32),
            "input_norm_mean": rng.random(images, np.float32),
            "forgetting_epoch4_mean": np.where(rng.random(images) < 0.3, np.inf, rng.integers(3, size=images)),
        }
    )


def chosen(name: str, keep: float | int, seed: int = 0, scores: pd.DataFrame | None = None) -> np.ndarray:
    choice = choices([name], epoch=4)[name]
    evidence = evidence_of(table() if scores is None else scores)
    return choose(evidence, choice.method, choice.options, kept(keep, len(evidence.table)), seed).rows


def evidence_of(scores: pd.DataFrame, seeds: SeedScores | None = None, folder: Path | None = None) -> OfRuns:
    return OfRuns(scores, len(CLASSES), runs=None, seed_scores={"el2n": seeds}.__getitem__, folder=folder)


METHODS = [
    "el2n",
    "el2n-epoch0",
    "input_norm",
    "forgetting",
    "random",
    "random-perclass",
    "el2n-perclass",
    "el2n-window0.2",
    "el2n-epoch0-window.1-perclass",
]


@given(st.sampled_from(METHODS), st.sampled_from([0.3, 0.5, 0.7, 13, 28]), st.integers(0, 9))
def test_rows_are_unique_and_rising(method, keep, seed):
    rows = chosen(method, keep, seed)
    assert rows.dtype == np.int64
    assert (np.diff(rows) > 0).all()
    assert len(rows) == (keep if isinstance(keep, int) else round(keep * 40))
    assert rows.min() >= 0
    assert rows.max() < 40


def test_the_score_and_epoch_of_the_name_are_used():
    scores = table()
    for method, column in [
        ("el2n", "el2n_epoch4_mean"),
        ("el2n-epoch0", "el2n_epoch0_mean"),
        ("input_norm", "input_norm_mean"),
    ]:
        assert chosen(method, 10).tolist() == sorted(scores[column].nlargest(10).index)
    assert chosen("el2n-window0", 10).tolist() == sorted(scores["el2n_epoch4_mean"].nsmallest(10).index)


def test_a_source_ranks_by_the_mean_of_its_own_seeds(tmp_path):
    values = np.random.default_rng(5).random((3, 2, 40), np.float32)
    save_scores(tmp_path / "from-x-el2n.safetensors", SeedScores(values, [7, 8, 9], [0, 4]))
    evidence = evidence_of(table(), folder=tmp_path)
    for name, epoch in (("el2n-fromx", 1), ("el2n-epoch0-fromx", 0)):
        choice = choices([name], epoch=4)[name]
        rows = choose(evidence, choice.method, choice.options, 10, seed=0).rows
        mean = sum(values[seed, epoch].astype(float) for seed in range(3)) / 3
        assert set(rows) == set(sorted(range(40), key=lambda row: -mean[row])[:10])


def test_images_never_learned_come_first():
    never = np.flatnonzero(np.isinf(table()["forgetting_epoch4_mean"]))
    assert set(never) <= set(chosen("forgetting", len(never) + 1))


def test_per_class_keeps_the_top_of_every_class():
    scores = table()
    rows = chosen("el2n-perclass", 0.5)
    expected = scores.groupby("label")["el2n_epoch4_mean"].nlargest(10).index.get_level_values(1)
    assert rows.tolist() == sorted(expected)


def test_per_class_windows_skip_in_every_class():
    scores = table()
    rows = chosen("el2n-window0.2-perclass", 0.5)
    ranks = scores.groupby("label")["el2n_epoch4_mean"].rank(method="first")
    assert sorted(ranks[rows]) == sorted([*range(5, 15), *range(5, 15)])


@pytest.mark.parametrize("method", ["random", "random-perclass"])
def test_random_subsets_are_nested(method):
    small, middle, large = (set(chosen(method, keep)) for keep in (0.2, 0.5, 0.9))
    assert small < middle < large


def test_random_subsets_belong_to_the_seed():
    assert chosen("random", 0.5, seed=1).tolist() == chosen("random", 0.5, seed=1).tolist()
    assert chosen("random", 0.5, seed=1).tolist() != chosen("random", 0.5, seed=2).tolist()


def test_random_subsets_hold_every_image_equally_often():
    scores = table(20)
    counts = np.zeros(20)
    for seed in range(400):
        counts[chosen("random-perclass", 0.5, seed=seed, scores=scores)] += 1
    assert np.abs(counts - 200).max() < 5 * np.sqrt(400 / 4)  # five standard deviations of a binomial


def test_a_class_without_images_is_found():
    scores = table()
    scores["el2n_epoch4_mean"] = scores["label"] + np.linspace(0, 0.5, 40)  # dogs score above cats
    assert missing_classes(chosen("el2n", 0.5, scores=scores), evidence_of(scores)).tolist() == [0]
    assert missing_classes(chosen("el2n-perclass", 0.5, scores=scores), evidence_of(scores)).size == 0


def test_a_score_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"el2n_epoch7_mean: el2n was not computed at that epoch"):
        chosen("el2n-epoch7", 0.5)


def test_a_window_without_room():
    with pytest.raises(ValueError, match=r"^a window from 0\.6"):
        chosen("el2n-window0.6", 0.5)


SEEDS = SeedScores(np.random.default_rng(3).random((6, 2, 40), np.float32), [10, 11, 12, 20, 21, 22], [0, 4])


@pytest.mark.parametrize(
    ("name", "rows", "epoch"),
    [
        ("el2n-seeds1", [0], 1), ("el2n-seeds1-group3", [2], 1), ("el2n-seeds2-group3", [4, 5], 1),
        ("el2n-epoch0-seeds3", [0, 1, 2], 0),
    ],
)  # fmt: skip
def test_a_mean_over_fewer_seeds_is_that_of_the_group(name, rows, epoch):
    choice = choices([name], epoch=4)[name]
    found = choose(evidence_of(table(), SEEDS), choice.method, choice.options, 12, seed=0).rows
    mean = pd.Series(sum(SEEDS.values[row, epoch].astype(float) for row in rows))
    assert found.tolist() == sorted(mean.nlargest(12).index)


def test_the_mean_over_all_seeds_is_that_of_the_table():
    seeds = SeedScores(SEEDS.values.copy(), SEEDS.seeds, SEEDS.epochs)
    seeds.values[::2, :, :9] = np.nan  # images that half of the seeds have not trained on
    column = score_table(table(), {"own": seeds})["own_epoch4_mean"]
    np.testing.assert_array_equal(mean_over(seeds, 4, range(6)), column)


def test_seeds_that_cannot_be_taken_are_told():
    with pytest.raises(ValueError, match=r"needs 8 seeds, but early\.cohorts has 6"):
        mean_over(SEEDS, 4, range(4, 8))
    with pytest.raises(ValueError, match="no seed has the score of epoch 2"):
        mean_over(SEEDS, 2, range(1))
    folds = SeedScores(np.where(np.arange(40) < 7, np.nan, SEEDS.values), SEEDS.seeds, SEEDS.epochs)
    with pytest.raises(ValueError, match="7 images have no score of these seeds"):
        mean_over(folds, 4, range(2))
    with pytest.raises(ValueError, match=r"^group: give seeds too"):
        choose(evidence_of(table()), "ranked", {"score": "el2n", "epoch": 4, "group": 2}, 3, seed=0)
    given = Given(np.zeros(4, int), 1, {"el2n": np.arange(4.0)})
    with pytest.raises(ValueError, match=r"^seeds: scores are given as means"):
        choose(given, "ranked", {"score": "el2n", "epoch": 0, "seeds": 1}, 3, seed=0)


def test_a_sweep_comes_after_select_and_a_name_of_both_means_what_select_says():
    methods = {"random": {}, "own": {"method": "ranked", "score": "el2n", "window": 0.4}}
    select = Select(methods=methods, keep=[0.5], epoch=4, seed=0)
    sweep = Sweep(methods=["el2n-epoch0", "own"], keep=[0.2, 100])
    assert list(all_subsets(select, sweep)) == [
        *("random-0.5", "own-0.5", "el2n-epoch0-0.2", "el2n-epoch0-100", "own-0.2", "own-100")
    ]
    assert all_subsets(select, sweep)["el2n-epoch0-100"] == ("el2n-epoch0", 100)
    found = all_choices(select, sweep)
    assert list(found) == ["random", "own", "el2n-epoch0"]
    assert (found["own"].options["window"], found["el2n-epoch0"].options["epoch"]) == (0.4, 0)
