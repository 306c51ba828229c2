"""Trainings that choose as they go, from params.yaml to the picture."""

import json
from typing import Any

import numpy as np
import pytest

from tests.pipeline.clone import Clone, in_this_process
from winnow.storage import load_table

pytestmark = pytest.mark.pipeline

VISITS: dict[str, Any] = {
    "half": {"method": "rs2", "keep": 0.5},
    "infobatch": {},
    "short": {"method": "shorter", "keep": 0.5},
}
FULL = 4 * 8 * 32  # 4 epochs of 269 images in batches of 32


def test_they_stand_in_the_comparison_at_the_share_of_visits_that_they_made(clone: Clone, monkeypatch) -> None:
    clone.set("retrain.visits", VISITS)
    for stage in ("check", *(f"retrain_visits@{name}" for name in VISITS), "compare", "claims", "figures"):
        in_this_process(clone, stage, monkeypatch)()
    table = load_table(clone.path("plots/accuracy.csv"))
    assert table[table["keep"] != "dynamic"]["visits"].unique().tolist() == [FULL]
    for name in VISITS:
        rows = table[table["method"] == name]
        assert (rows["keep"] == "dynamic").all()
        assert set(rows["seed"]) == {100, 101}
        np.testing.assert_allclose(rows["fraction"], rows["visits"].mean() / FULL)
        for seed, of_seed in rows.groupby("seed"):
            history = load_table(clone.path(f"data/retrain/{name}/seed{seed}/history.csv"))
            assert set(of_seed["visits"]) == {history["visits"].sum()}
            assert set(of_seed["steps"]) == {history["visits"].sum() // 32}
    assert set(table[table["method"] == "half"]["visits"]) == {4 * 4 * 32}  # 134 images
    assert set(table[table["method"] == "short"]["visits"]) == {FULL // 2}
    assert table[table["method"] == "infobatch"]["visits"].between(FULL // 2, FULL - 1).all()
    differences = json.loads(clone.path("metrics/differences.json").read_text())
    assert {name for name in differences if "-dynamic" in name} == {f"{name}-dynamic minus full" for name in VISITS}
    assert set(json.loads(clone.path("metrics/retrain.json").read_text())["test"]) >= {f"{n}-dynamic" for n in VISITS}


def test_a_new_one_trains_itself_only_and_one_taken_out_leaves_nothing(clone: Clone) -> None:
    third = {"third": {"method": "rs2", "keep": 0.35}}
    clone.set("retrain.visits", third)
    assert set(clone.make("compare")) == {"retrain_visits@third", "compare"}
    clone.set("retrain.visits", {**third, "infobatch": {}})
    assert set(clone.make("compare")) == {"retrain_visits@infobatch", "compare"}
    clone.recode("src/winnow/training/visits/rs2.py")
    assert clone.make("compare") == ["retrain_visits@third"]  # with the same outputs
    clone.set("retrain.visits", third)
    assert clone.make("compare") == ["compare"]
    left = {path.name for path in clone.path("data/retrain").iterdir()}
    assert "third" in left
    assert "infobatch" not in left


@pytest.mark.parametrize(
    ("visits", "message"),
    [
        ({"el2n": {"method": "rs2", "keep": 0.5}}, "retrain.visits: el2n is a name of a subset, a selection method"),
        ({"a.b": {"method": "rs2", "keep": 0.5}}, "a name is made of letters, digits, _ and -"),
        (
            {"third": {"keep": 0.5}},
            "retrain.visits.third.method: 'third' chooses no visits; there are dynamic_clusters",
        ),
        ({"rs2": {}}, "retrain.visits.rs2.keep: is missing"),
        ({"rs2": {"keep": 1.5}}, "retrain.visits.rs2.keep: must be at most 1"),
        ({"infobatch": {"ration": 0.5}}, "retrain.visits.infobatch.ration: no such key; did you mean ratio?"),
    ],
)
def test_a_mistake_names_its_key(new: Clone, tmp_path, monkeypatch, user_error, visits, message) -> None:
    clone = new.copy(tmp_path / "clone")
    clone.set("retrain.visits", visits)
    with user_error(message):
        in_this_process(clone, "check", monkeypatch)()


def test_what_a_method_cannot_do_names_its_key(clone: Clone, monkeypatch, user_error) -> None:
    few = {"rs2": {"keep": 0.1}, "far": {"method": "dynamic_clusters", "keep": 0.3, "clusters": 100}}
    clone.set("retrain.visits", few)
    in_this_process(clone, "check", monkeypatch)()
    with user_error("retrain.visits.rs2: visits 27 images in epoch 1, fewer than a batch (32)"):
        in_this_process(clone, "retrain_visits@rs2", monkeypatch)()
    with user_error("retrain.visits.far.clusters: 100 are more than the 81 images that keep: 0.3 chooses"):
        in_this_process(clone, "retrain_visits@far", monkeypatch)()
