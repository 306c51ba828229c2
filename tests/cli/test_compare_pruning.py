"""winnow compare-pruning: at a tiny size, from a recipe to the page."""

import math
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd
import pytest

from winnow.cli.compare_pruning import compare_pruning
from winnow.cli.main import main
from winnow.params.base import read_yaml
from winnow.storage import load_table

UserErrors = Callable[..., AbstractContextManager[None]]

RECIPE = """# Digits.
download: {source: digits, first: 300, first_test: 100}
networks: {small: {width: 4}}
trainings: {short: {length: 2 epochs, warmup: 0 epochs, decay_at: [1 epochs]}}
early: {cohorts: {a: [0]}, epochs: [0, 1]}
score: {scores: [el2n, random], gradients: []}
ntk: {epochs: []}
select: {epoch: 1, keep: [0.5], methods: {random: {}, el2n: {}}}
retrain: {seeds: [100]}
dense: {seeds: [200, 201], rewind: 1 epoch}
pruning:
  rewinds: {}
  levels:
    random: {parent: none, criterion: random, allocation: erk, prune: 0.5}
    imp: {parent: dense, variant: imp, prune: 0.3}
    channels: {parent: dense, structure: channels, criterion: filter_norm, prune: 0.5}
connectivity: {matrix: []}
spawn: {at: []}
perturbation: {runs: {}}
curvature: {levels: []}
"""


@pytest.fixture(autouse=True)
def recipes(outside: None) -> None:
    """Each test runs beside a recipe."""
    Path("recipes").mkdir()
    Path("recipes/pruning-tiny.yaml").write_text(RECIPE)


@pytest.mark.pipeline
def test_a_recipe_becomes_a_page_and_a_new_method_joins_alone(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["compare-pruning", "all", "--densities", "0.6", "--recipes", "pruning-tiny"]
    assert main(words) == 0
    levels = {"random_60", "imp_60_cut1", "imp_60", "imp_60_shuffled", "imp_60_fresh"}
    levels |= {"channels_60", "channels_60_fresh", "channels_60_inverted"}
    assert ran(capfd.readouterr().out) == levels | {"dense"}
    results = pd.read_csv("all/comparison/results.csv", keep_default_na=False)
    assert len(results) == 2 * len(levels)  # two seeds; with dense, and without the first of two cuts
    own = results[(results["level"] == "imp_60") & (results["seed"] == 201)].iloc[0]
    of_stage = load_table("all/tiny-1/data/tickets/imp_60/results.csv").query("split == 'test' and seed == 201").iloc[0]
    assert own["accuracy"] == pytest.approx(1 - of_stage["error"])
    assert own["left"] == pytest.approx(of_stage["density"]) == pytest.approx(0.6, abs=0.01)
    assert (own["method"], own["check"], own["trainings"]) == ("imp", "", 3)
    assert float(own["error_after_cut"]) == pytest.approx(of_stage["error_after_cut"])
    dense = results[results["method"] == "dense"]
    assert (dense["alive"] == 1).all()
    # to the rewind point, which is half of a training, then the dense network's other half, and those of the two cuts
    assert own["steps"] == 2 * dense["steps"].iloc[0]
    assert own["cost"] == pytest.approx(0.5 + 0.5 * (1 + math.sqrt(own["left"]) + own["left"]), abs=0.01)

    page = Path("all/comparison/README.md").read_text()
    assert "- **tiny**: Digits.\n" in page
    assert set(re.findall(r"\((\w+\.png)\)", page)) == {path.name for path in Path("all/comparison").glob("*.png")}
    latency = pd.read_csv("all/comparison/latency.csv").iloc[0]
    assert (latency["method"], latency["density"]) == ("channels", 0.6)
    assert 0 < latency["bytes"] < latency["dense_bytes"]
    assert (latency[["milliseconds", "dense_milliseconds"]] > 0).all()
    beyond = pd.read_csv("all/comparison/beyond.csv").set_index(["method", "seed"])
    assert set(beyond.index) == {(each, seed) for each in ("dense", "random", "imp", "channels") for seed in (200, 201)}
    of_level = results[results["check"] == ""].set_index(["method", "seed"])
    for about, row in beyond.iterrows():  # there are fewer test images than it takes at most
        assert row["error"] == pytest.approx(1 - of_level.loc[about, "accuracy"])
        assert row["corrupted_error"] == pytest.approx(row[["noise", "blur", "contrast", "jpeg"]].mean())
    assert not beyond["corrupted_error"].eq(beyond["error"]).all()
    assert beyond.loc["dense", ["agreement", "cka"]].to_numpy() == pytest.approx(1)

    kept = {path: path.stat().st_mtime_ns for path in Path("all/tiny-1/.winnow/beyond").rglob("*.parquet")}
    assert len(kept) == 2 * 4
    recipe = Path("recipes/pruning-tiny.yaml")
    line = "    synflow: {parent: none, criterion: synflow, prune: 0.5}\n"
    recipe.write_text(recipe.read_text().replace("    imp:", f"{line}    imp:"))
    assert main(words) == 0
    assert ran(capfd.readouterr().out) == {f"synflow_60{check}" for check in ("", "_shuffled", "_fresh", "_inverted")}
    assert "| synflow | pruned before training | 1 |" in Path("all/comparison/README.md").read_text()
    again = {path: path.stat().st_mtime_ns for path in Path("all/tiny-1/.winnow/beyond").rglob("*.parquet")}
    assert {path for path in again if again[path] != kept.get(path)} == {
        Path(f"all/tiny-1/.winnow/beyond/synflow_60/seed{seed}.parquet") for seed in (200, 201)
    }


def ran(printed: str) -> set[str]:
    """The levels that were trained, and dense."""
    stages = re.findall(r"^(\S+) ran in ", printed, re.MULTILINE)
    return {stage.removeprefix("prune@") for stage in stages if stage.startswith(("prune@", "dense"))}


def test_a_repeat_has_seeds_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reached(Exception):
        pass

    def run(*_: object) -> None:
        raise Reached

    monkeypatch.setattr("winnow.cli.projects.run", run)
    with pytest.raises(Reached):
        compare_pruning("all", ["pruning-tiny"], densities=[0.5], repeats=2)
    first, second = (read_yaml(f"all/tiny-{number}/params.yaml") for number in (1, 2))
    assert (first["dense"].pop("seeds"), second["dense"].pop("seeds")) == ([200, 201], [1200, 1201])
    assert first == second


def test_mistakes_are_told_before_anything_is_made(user_error: UserErrors) -> None:
    for densities in ([], [0.5, 0.5], [1.0], [0.5, -0.1]):
        with user_error("--densities: ", "must be different fractions between 0 and 1"):
            compare_pruning("all", ["pruning-tiny"], densities=densities)
    with user_error("--repeats: 0: must be a whole number above 0"):
        compare_pruning("all", ["pruning-tiny"], repeats=0)
    levels = {
        "{parent: random, variant: imp, prune: 0.3}": "pruning.levels.wrong.parent: must be dense or none",
        "{parent: dense, variant: adaptive, max_error_rise: 0.1}": "pruning.levels.wrong: max_error_rise asks for no",
        "{parent: dense, variant: fresh}": "pruning.levels.wrong: prunes nothing; give prune",
        "{parent: dense, when: soft_threshold}": "pruning.levels.wrong.when: soft_threshold settles the density by its",
        "{parent: dense, structure: blocks}": "pruning.levels.wrong.structure: blocks have the sizes that the network",
    }
    for level, message in levels.items():
        Path("recipes/pruning-wrong.yaml").write_text(RECIPE.replace("    imp:", f"    wrong: {level}\n    imp:"))
        with user_error(message):
            compare_pruning("all", ["pruning-tiny", "pruning-wrong"])
    one = RECIPE.replace("    imp:", "    two_of_four: {parent: dense, structure: n_of_m}\n    imp:")
    one = "".join(line for line in one.splitlines(keepends=True) if not line.startswith(("    random", "    channels")))
    Path("recipes/pruning-one.yaml").write_text(one)
    with user_error("--recipes: must have two methods or more that can have the same density"):
        compare_pruning("all", ["pruning-one"], densities=[0.3])
    assert not Path("all").exists()
