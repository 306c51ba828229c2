"""Scores of networks trained on parts of the images, and ways to train a subset, from params.yaml to the comparison."""

import numpy as np
import pytest

from tests.pipeline.clone import Clone
from tests.scores.test_cuts import divergence
from winnow.scores.columns import column
from winnow.scores.of_pretrained.self_supervised_prototypes import self_supervised_prototypes
from winnow.scores.seed_scores import NO_EPOCH
from winnow.storage import load_table, load_tensors

pytestmark = pytest.mark.pipeline

SEEDS = list(range(20, 32))  # of whose parts every image is in some, and not in all
METHODS = ["memorization", "second_split_forgetting", "compression_gap", "self_supervised_prototypes", "random"]


def test_from_end_to_end(clone: Clone) -> None:
    clone.set("early.cohorts.m", {"seeds": SEEDS, "share": 0.5})
    clone.set("second_split.cohorts", {"s": [400]})
    clone.set("pretrain.cohorts", {"p": {"seeds": [500, 501], "network": "small", "training": "four"}})
    clone.set("compression.levels", ["l1", "l2"])
    clone.set("score", {"scores": ["el2n", *METHODS[:-1]], "gradients": []})
    clone.set("select.methods", METHODS)
    clone.set("sweep", {"methods": [], "keep": []})
    clone.set("retrain.recipes", {"soft": {"teacher": "early", "weight": 0.5}, "passes": {"budget": "epochs"}})
    items = [f"{method}-0.5" for method in METHODS]
    by_recipe = [f"retrain_recipes@{item}-{recipe}" for item in items for recipe in ("soft", "passes")]
    # random's plain networks are those that were trained before
    expected = {
        "early@m",
        "second_split@s",
        "pretrain@p",
        "compression@l1",
        "compression@l2",
        "teacher@soft",
        "teacher@passes",
        *by_recipe,
        *(f"retrain@{item}" for item in items[:4]),
    }
    assert {stage for stage in clone.make("compare") if stage not in ("score", "select", "compare")} == expected

    scores = load_table(clone.path("data/scores/scores.parquet"))
    folders = [clone.path(f"data/early/m/seed{seed}") for seed in SEEDS]
    seen = np.stack([load_tensors(folder / "seen.safetensors")["seen"] for folder in folders]).astype(bool)
    assert set(seen.sum(axis=1)) == {round(0.5 * 269)}
    outputs = [load_tensors(folder / "epoch6.safetensors")["log_probabilities"] for folder in folders]
    right = np.stack([own.argmax(axis=1) == scores["label"] for own in outputs])
    for image, value in enumerate(scores[column("memorization", 6)]):
        of_image, trained = right[:, image], seen[:, image]
        assert value == pytest.approx(of_image[trained].mean() - of_image[~trained].mean(), abs=1e-6)
    assert scores[column("second_split_forgetting", NO_EPOCH)].between(0, 6).all()
    without_labels = np.mean(
        [
            self_supervised_prototypes(load_tensors(path)["features"].astype(np.float32), 10)
            for path in clone.path("data/early/self-p").glob("seed*/features.safetensors")
        ],
        axis=0,
    )
    np.testing.assert_allclose(scores[column("self_supervised_prototypes", NO_EPOCH)], without_labels, atol=1e-5)
    chosen = load_table(clone.path("data/select/self_supervised_prototypes-0.5.parquet"))
    assert set(chosen["id"]) == set(scores["id"][np.argsort(-without_labels)[: len(chosen)]])
    kept = [
        clone.path(f"data/early/cut-{level}/seed{seed}.safetensors") for level in ("l1", "l2") for seed in (200, 201)
    ]
    gaps = [divergence(np.exp(own["dense"]), np.exp(own["cut"])) for own in map(load_tensors, kept)]
    np.testing.assert_allclose(scores[column("compression_gap", NO_EPOCH)], np.mean(gaps, axis=0), atol=1e-6)

    table = load_table(clone.path("plots/accuracy.csv"))
    steps = table.groupby("method")["steps"].first()
    assert {f"{method}{recipe}" for method in METHODS for recipe in ("", "+soft", "+passes")} < set(steps.index)
    assert (steps["random+passes"], steps["random+soft"]) == (steps["random"] // 2, steps["random"])
    differences = load_table(clone.path("plots/differences.csv")).set_index(["method", "baseline"])["difference"]
    of_test = table[table["split"] == "test"].groupby("method")["accuracy"].mean()
    assert differences["memorization+soft", "random"] == pytest.approx(
        of_test["memorization+soft"] - of_test["random+soft"]
    )
    assert clone.make("compare") == []
