"""What a finished run shows: DVC's own commands, and the files they read."""

import csv
import json
from typing import Any

import pytest
from PIL import Image

from tests.pipeline.clone import Clone

pytestmark = pytest.mark.pipeline

ITEMS = {"el2n-0.5", "el2n-seeds1-0.5", "random-0.5"}
TABLES = {"accuracy", "differences", "history", "reliability", "tickets_results", "tickets_barriers"}
PICTURES = {
    "pictures": {
        *("accuracy", "coverage", "distributions", "history", "mosaic", "rank_correlation", "reliability", "strata"),
        *("how_many", "suspects", "transfer", "velocity"),
    },
    "ticket_pictures": {
        *("errors", "layers", "lines", "connectivity", "magnitudes", "cuts_without_retraining", "barriers", "children"),
        *("children_subsets", "early_stopping", "perturbations", "largest_cuts", "spectra"),
    },
}
LEVELS = {"dense": 1.0, "l1": 0.6, "l2": 0.36, "o2": 0.36}  # fraction of the weights left


def metrics(clone: Clone, name: str) -> Any:
    return json.loads(clone.path(f"metrics/{name}.json").read_text())


def rows(clone: Clone, name: str) -> list[dict[str, str]]:
    with clone.path(f"plots/{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_metrics_say_of_every_subset_how_it_compares_with_random_and_with_all_data(finished: Clone) -> None:
    found = metrics(finished, "differences")
    against = {f"{item} minus {baseline}" for item in ITEMS for baseline in ("random", "full")}
    assert set(found) == against - {"random-0.5 minus random"}
    accuracy = metrics(finished, "retrain")
    for part in ("test", "validation"):
        assert set(accuracy[part]) == {*ITEMS, "full"}
    for name, entry in found.items():
        item, baseline = name.split(" minus ")
        baseline = "random-0.5" if baseline == "random" else baseline
        means = [accuracy["test"][each]["accuracy"] for each in (item, baseline)]
        assert entry["difference"] == pytest.approx(means[0] - means[1], abs=1e-12)
        assert entry["low"] <= entry["difference"] <= entry["high"]
        told_apart = entry["low"] > 0 or entry["high"] < 0
        assert told_apart == (entry["verdict"] in ("above", "below"))


def test_the_accuracies_are_those_of_every_seed(finished: Clone) -> None:
    accuracy = rows(finished, "accuracy")
    seeds = {(row["method"], row["split"], row["seed"]) for row in accuracy}
    methods, splits = ("el2n", "el2n-seeds1", "random", "full"), ("validation", "test")
    assert seeds == {(method, split, seed) for method in methods for split in splits for seed in ("100", "101")}
    for split in splits:
        of_full = [float(row["accuracy"]) for row in accuracy if (row["method"], row["split"]) == ("full", split)]
        assert metrics(finished, "retrain")[split]["full"]["accuracy"] == pytest.approx(sum(of_full) / 2)
    # the budget is steps: every subset is trained for as many of them
    assert len({row["steps"] for row in accuracy}) == 1


def test_the_other_metrics(finished: Clone) -> None:
    scores = metrics(finished, "scores")
    assert (scores["images"], scores["seeds"], scores["epoch"]) == (269, 3, 6)
    assert set(scores["rank_correlation_of_halves"]) == {"el2n", "grand"}


def test_metrics_say_of_every_level_how_it_compares_with_dense_and_its_parent(finished: Clone) -> None:
    found = metrics(finished, "tickets")
    assert {level: facts["density"] for level, facts in found.items()} == pytest.approx(LEVELS, abs=1e-3)
    table = rows(finished, "tickets/results")
    for level, facts in found.items():
        errors = {row["seed"]: row["error"] for row in table if (row["level"], row["split"]) == (level, "test")}
        assert facts["errors"] == {seed: float(error) for seed, error in errors.items()}
        assert list(errors) == ["200", "201"]
        assert facts["mean_error"] == pytest.approx(sum(facts["errors"].values()) / 2)
        assert isinstance(facts["matching"], bool)
        assert (facts["barrier_to_parent"] is None) == (level == "dense")
    landscape = metrics(finished, "landscape")
    assert sum(landscape["connected_to_parent_and_matching"].values()) == 2  # o2 begins elsewhere
    assert {name: facts["cuts"] for name, facts in landscape["at_the_same_sparsity"].items()} == {"imp": 2}
    assert landscape["epsilon"] > 0
    assert set(landscape["largest_cut"]) == {"l1"}


@pytest.mark.parametrize("folder", list(PICTURES))
def test_the_pictures_are_pictures(folder: str, finished: Clone) -> None:
    files = finished.files(f"plots/{folder}")
    assert set(files) == {f"plots/{folder}/{name}.png" for name in PICTURES[folder]}
    for name in files:
        with Image.open(finished.path(name)) as image:
            assert image.format == "PNG"
            low, high = image.convert("L").getextrema()
            assert low < high  # something is drawn


def test_without_wrong_labels_nothing_is_detected(finished: Clone) -> None:
    assert rows(finished, "detection") == []


def test_detection_of_wrong_labels_by_networks_that_have_seen_them_and_that_have_not(clone: Clone) -> None:
    clone.set("labels.noise", 0.3)
    clone.set("early.cohorts.b", {"seeds": [2, 3], "folds": 2})
    clone.set("score", {"scores": ["el2n", "aum", "confident_learning", "random"], "gradients": ["grand"]})
    clone.make("figures")
    table = rows(clone, "detection")
    found = {(row["detector"], row["sample"], row["epoch"], row["seeds"]) for row in table}
    of_outputs, seeds = ("el2n", "confident_learning"), ("1", "4")
    assert found == {
        ("chance", "", "-1", "0"),
        *((name, "in", epoch, count) for name in (*of_outputs, "grand") for epoch in "026" for count in seeds),
        *(("aum", "in", epoch, count) for epoch in "26" for count in seeds),
        *(("random", "in", "-1", count) for count in seeds),
        *((name, "out", epoch, "1") for name in of_outputs for epoch in "026"),
    }
    last = {(row["detector"], row["sample"]): float(row["auroc"]) for row in table if row["epoch"] == "6"}
    assert last["aum", "in"] > 0.6
    assert metrics(clone, "scores")["noise_auc"]["aum"] == last["aum", "in"]
    assert clone.path("plots/pictures/detection.png").exists()
    clone.set("score.gradients", [])
    assert "early@b" not in clone.make("score")


def test_dvc_shows_metrics_and_plots(clone: Clone) -> None:
    printed = clone.do("dvc", "metrics", "show", "--json")
    assert "failed" not in printed
    shown = json.loads(printed)[""]["data"]
    assert shown == {"metrics/summary.json": {"data": metrics(clone, "summary")}}

    printed = clone.do("dvc", "plots", "show")
    assert "failed" not in printed
    page = clone.path("dvc_plots/index.html").read_text()
    assert all(f'id = "plots_{name}_csv"' in page for name in TABLES)
    assert "DVC_METRIC" not in page  # every blank of our templates is filled in
    assert all(f"{name}.png" in page for names in PICTURES.values() for name in names)


def fitting(clone: Clone, *words: str) -> list[list[str]]:
    """What a command prints into 120 columns, as words, if it need not leave anything out."""
    printed = clone.do(*words, COLUMNS="120")
    assert "…" not in printed
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= 120
    return [line.split() for line in printed.splitlines()]


def test_dvc_shows_what_a_change_has_changed(clone: Clone) -> None:
    clone.set("aggregate.suspects_epoch", 2)
    clone.set("retrain.seeds", [100, 105])
    before = metrics(clone, "summary")
    assert set(clone.make()) >= {"score", "retrain_full", "claims"}
    after, changed = metrics(clone, "summary"), json.loads(clone.do("dvc", "metrics", "diff", "--json"))
    assert set() < set(changed["metrics/summary.json"]) <= {"full", "el2n", "random", "holds", "fails"}
    assert {key: (entry["old"], entry["new"]) for key, entry in changed["metrics/summary.json"].items()} == {
        key: (before[key], after[key]) for key in after if before[key] != after[key]
    }
    assert {"full", "el2n", "random", "retrain.seeds"} <= {
        word for line in fitting(clone, "python", "-m", "winnow.repro.experiments") for word in line
    }
    assert ["params.yaml", "retrain.seeds", "[100,", "101]", "[100,", "105]"] in fitting(clone, "dvc", "params", "diff")
    assert len(fitting(clone, "dvc", "metrics", "diff")) == 1 + len(changed["metrics/summary.json"])
    printed = clone.do("dvc", "plots", "diff", "HEAD")
    assert "failed" not in printed
    page = clone.path("dvc_plots/index.html").read_text()
    assert all(f'id = "plots_{name}_csv"' in page for name in TABLES)
    assert all(f"static/{side}_plots_pictures_suspects.png" in page for side in ("HEAD", "workspace"))
