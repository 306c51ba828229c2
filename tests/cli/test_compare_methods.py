"""winnow compare-methods: at a tiny size, two settings from recipes to the page."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from winnow.cli.compare_methods import compare_methods
from winnow.cli.main import main
from winnow.params.base import read_yaml
from winnow.storage import load_table, load_tensors

UserErrors = Callable[..., AbstractContextManager[None]]

RECIPE = """# Digits, right labels.
download: {source: digits, first: 300, first_test: 100}
networks: {lenet: {}}
trainings: {short: {length: 2 epochs, warmup: 0 epochs, decay_at: [1 epochs]}}
early: {network: lenet, cohorts: {a: [0], b: {seeds: [1, 2], folds: 2}}, epochs: [0, 2]}
score: {scores: [el2n, random], gradients: []}
ntk: {epochs: []}
select: {epoch: 2, keep: [0.3], methods: {random: {}, el2n: {}}}
retrain: {network: lenet, seeds: [100, 101]}
dense: {network: lenet, seeds: [], rewind: 1 epoch}
pruning: {rewinds: {}, levels: {}}
connectivity: {matrix: []}
spawn: {at: []}
perturbation: {runs: {}}
curvature: {levels: []}
"""
RECIPES = ["selection-tiny", "selection-tiny-noisy"]


@pytest.fixture(autouse=True)
def recipes(outside: None) -> None:
    """Each test runs beside two recipes."""
    Path("recipes").mkdir()
    Path("recipes/selection-tiny.yaml").write_text(RECIPE)
    Path("recipes/selection-tiny-noisy.yaml").write_text(
        "# Digits, wrong labels.\nextends: selection-tiny\nlabels: {noise: 0.4}\n"
        "retrain: {recipes: {kd: {teacher: full}}}\n"
    )


def ran(printed: str) -> list[str]:
    return [stage for stage in re.findall(r"^(\S+) ran in ", printed, re.MULTILINE) if stage != "check"]


@pytest.mark.pipeline
def test_two_settings_become_tables_and_a_page_and_a_new_method_joins_alone(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["compare-methods", "all", "--repeats", "1", "--recipes", *RECIPES]
    assert main(words) == 0
    assert len(ran(capfd.readouterr().out)) > 10
    results = pd.read_csv("all/comparison/results.csv")
    assert results.groupby(["setting", "method"]).size().to_dict() == {
        (setting, method): 2 for setting in ("tiny", "tiny-noisy") for method in ("el2n", "full", "random")
    }
    row = results[(results["setting"] == "tiny-noisy") & (results["method"] == "el2n")].iloc[0]
    project = Path("all/tiny-noisy-1")
    of_stage = load_table(project / "data/retrain/el2n-0.3-kd/results.csv").query("split == 'test'").iloc[0]
    assert (row["seed"], row["accuracy"]) == (of_stage["seed"], pytest.approx(of_stage["accuracy"]))
    labels = load_table(project / "data/images/test.parquet")["label"]
    outputs = load_tensors(project / f"data/retrain/el2n-0.3-kd/seed{row['seed']}/outputs.safetensors")["test"]
    right = pd.Series(outputs.argmax(axis=1) == labels.to_numpy())
    assert row["worst_class"] == pytest.approx(right.groupby(labels).mean().min())
    table = load_table(project / "data/labels.parquet").set_index("id")
    kept = table.loc[load_table(project / "data/select/el2n-0.3.parquet")["id"]]
    assert row["wrong_kept"] == pytest.approx(np.mean([a != b for a, b in kept[["label", "true_label"]].to_numpy()]))
    assert row["wrong_kept"] > 0

    page = Path("all/comparison/README.md").read_text()
    assert "- **tiny-noisy**: Digits, wrong labels.\n" in page
    assert set(re.findall(r"\((\w+\.png)\)", page)) == {path.name for path in Path("all/comparison").glob("*.png")}
    costs = pd.read_csv("all/comparison/costs.csv").set_index(["setting", "method"])
    assert costs.loc[("tiny", "el2n"), "training_passes"] == 6  # three networks, two epochs
    assert list(Path("all").glob("tiny*/.dvc/cache")) == []  # one for all

    recipe = Path("recipes/selection-tiny.yaml")
    recipe.write_text(recipe.read_text().replace("el2n: {}}", "el2n: {}, el2n-window0: {}}"))
    assert main(words) == 0
    assert sorted(ran(capfd.readouterr().out)) == sorted(
        [*2 * ["select", "retrain@el2n-window0-0.3", "compare"], "retrain_recipes@el2n-window0-0.3-kd"]
    )
    assert "el2n-window0" in Path("all/comparison/README.md").read_text()


def test_every_repeat_has_seeds_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reached(Exception):
        pass

    def run(*_: object) -> None:
        raise Reached

    monkeypatch.setattr("winnow.cli.projects.run", run)
    Path("recipes/selection-tiny.yaml").write_text(
        RECIPE.replace("dense: {network: lenet, seeds: []", "dense: {network: lenet, seeds: [200]")
        + "second_split: {cohorts: {s: [400]}}\n"
        "pretrain: {cohorts: {p: {seeds: [500, 501], network: lenet, training: short}}}\n"
    )
    with pytest.raises(Reached):
        compare_methods("all", RECIPES[:1], repeats=2)
    first, second = (read_yaml(f"all/tiny-{number}/params.yaml") for number in (1, 2))
    assert second["early"]["cohorts"] == {"a": [1000], "b": {"seeds": [1001, 1002], "folds": 2}}
    assert second["retrain"]["seeds"] == [1100, 1101]
    assert second["dense"]["seeds"] == [1200]
    assert second["select"]["seed"] == 1000
    assert second["second_split"]["cohorts"] == {"s": [1400]}
    assert second["pretrain"]["cohorts"] == {"p": {"seeds": [1500, 1501], "network": "lenet", "training": "short"}}
    for values in (first, second):
        own = [("early", "cohorts"), ("second_split", "cohorts"), ("pretrain", "cohorts")]
        for section, key in [*own, ("retrain", "seeds"), ("dense", "seeds"), ("select", "seed")]:
            values[section][key] = None
    assert first == second


def test_mistakes_are_told_before_anything_is_made(user_error: UserErrors) -> None:
    Path("recipes/selection-wrong.yaml").write_text("extends: selection-tiny\nlabels: {noise: 2}\n")
    with user_error("selection-wrong.yaml: labels.noise: must be at most 1"):
        compare_methods("all", ["selection-tiny", "selection-wrong"])
    with user_error("--repeats: 0: must be a whole number above 0"):
        compare_methods("all", repeats=0)
    with user_error("--recipes: names a setting twice"):
        compare_methods("all", ["selection-tiny", "selection-tiny"])
    with user_error("--images nowhere: no such folder"):
        compare_methods("all", RECIPES, images="nowhere")
    assert not Path("all").exists()
    Path("all/tiny-1").mkdir(parents=True)
    with user_error("all/tiny-1: is no project of Winnow: name another folder, or remove it"):
        compare_methods("all", RECIPES)
