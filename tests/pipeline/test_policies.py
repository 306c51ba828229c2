"""Methods that need features, validation images or weights, from params.yaml to retrained networks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.pipeline.clone import Clone, in_this_process
from winnow.datasets.images import load_facts
from winnow.selection.files import load_subset
from winnow.stages._images import to_train_on
from winnow.storage import load_table

pytestmark = pytest.mark.pipeline

METHODS = {
    "random": {},
    "d2": {"score": "el2n", "k": 3},
    "glister": {},
    "gradmatch": {},
    "drop": {},
    "own": {"method": "ranked", "score": "el2n", "window": "ends", "per_class": True, "equal": True},
}


@pytest.fixture(scope="module")
def scored(new: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with the scores and features of one cohort, and no other experiment. Tests change copies of it only."""
    clone = new.copy(tmp_path_factory.mktemp("scored") / "clone")
    nothing = {"pruning.levels": {}, "connectivity.matrix": [], "curvature.levels": [], "perturbation.runs": {}}
    nothing |= {"transfer.sources": {}, "sweep.methods": [], "score.gradients": [], "early.cohorts": {"a": [0, 1]}}
    for key, value in nothing.items():
        clone.set(key, value)
    with pytest.MonkeyPatch.context() as patch:
        for stage in ("check", "download", "labels", "early@a", "score"):
            in_this_process(clone, stage, patch)()
    return clone


def test_subsets_exist_and_networks_train_on_their_weights(
    scored: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = scored.copy(tmp_path / "clone")
    clone.set("select.methods", METHODS)
    for stage in ("check", "select", "retrain@gradmatch-0.5"):
        in_this_process(clone, stage, monkeypatch)()
    images = len(load_table(clone.path("data/labels.parquet")))
    for name in METHODS:
        subset = load_subset(clone.path(f"data/select/{name}-0.5.parquet"))
        assert len(set(subset.ids)) == len(subset) == round(images / 2)
        assert (subset.weights is not None) == (name == "gradmatch")
    results = load_table(clone.path("data/retrain/gradmatch-0.5/results.csv"))
    assert results["accuracy"].between(0, 1).all()
    assert sorted(set(results["seed"])) == [100, 101]

    subset = load_subset("data/select/gradmatch-0.5.parquet")
    trained_on = to_train_on("select/gradmatch-0.5", load_facts("data/images"), torch.device("cpu"))
    labels = load_table("data/labels.parquet").set_index("position").loc[subset.positions, "label"]
    assert trained_on.labels.tolist() == labels.tolist()
    assert trained_on.weights is not None
    np.testing.assert_array_equal(trained_on.weights, subset.weights)


def test_what_a_method_cannot_do_is_one_line(
    scored: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user_error
) -> None:
    clone = scored.copy(tmp_path / "clone")
    mistakes = {
        "select.methods: 'glister' needs the features of epoch 2: add it to early.features": {"glister": {"epoch": 2}},
        "select.methods.d2.betta: no such key; there are score": {"d2": {"score": "el2n", "betta": 0.1}},
    }
    for message, methods in mistakes.items():
        clone.set("select.methods", {"random": {}, "el2n": {}, **methods})
        with user_error(message):
            in_this_process(clone, "check", monkeypatch)()
    clone.set("select.methods", {"random": {}, "el2n": {}, "d2": {"score": "el2n", "cutoff": 0.6}})
    in_this_process(clone, "check", monkeypatch)()
    with user_error("select.methods: d2: a cutoff of 0.6 has no room for", "it can be 0.501"):
        in_this_process(clone, "select", monkeypatch)()
