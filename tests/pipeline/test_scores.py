"""Scores of every family, from params.yaml to the tables, the detection of wrong labels and the subsets."""

import numpy as np
import pytest

from tests.pipeline.clone import Clone, in_this_process
from winnow.scores.seed_scores import load_scores
from winnow.selection.files import load_subset
from winnow.storage import load_table

pytestmark = pytest.mark.pipeline

SCORES = {  # after which epochs each exists
    "el2n": [0, 2, 4, 6],
    "entropy": [0, 2, 4, 6],
    "learning_time": [2, 4, 6],
    "accumulated_margin": [2, 4, 6],
    "dyn_unc": [2, 4, 6],
    "tdds": [6],
    "ensemble_agreement": [0, 2, 4, 6],
    "label_neighbours": [4, 6],
    "donod": [4, 6],
    "influence_effort": [4, 6],
}
PARAMS = {
    "labels.noise": 0.1,
    "early.epochs": [0, 2, 4, 6],
    "early.features": [4, 6],
    "score": {"scores": list(SCORES), "gradients": []},
    "transfer.sources": {"other": {"seeds": [300], "network": "lenet", "training": "short"}},
    "select.methods": [*SCORES, "random", "tdds-fromother", "donod-epoch4-seeds1-window0-perclass"],
    "pruning": {"rewinds": {}, "levels": {}, "floor": 1},
    **{"connectivity.matrix": [], "curvature.levels": [], "perturbation.runs": {}},
}
STAGES = ("check", "download", "labels", "early@a", "early@b", "transfer@other", "score", "select")


@pytest.fixture
def scored(new: Clone, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    clone = new.copy(tmp_path / "clone")
    for key, value in PARAMS.items():
        clone.set(key, value)
    for stage in STAGES:
        in_this_process(clone, stage, monkeypatch)()
    return clone


def test_scores_of_every_family_from_end_to_end(scored: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    table, detection = (load_table(scored.path(f)) for f in ("data/scores/scores.parquet", "plots/detection.csv"))
    for name, epochs in SCORES.items():
        columns = [column for column in table if column.startswith(f"{name}_") and column.endswith("_mean")]
        assert columns == [f"{name}_epoch{epoch}_mean" for epoch in epochs]
        last = table[f"{name}_epoch6_mean"]
        assert np.isfinite(last).all()
        assert last.nunique() > 2
        assert detection.loc[detection["detector"] == name, "epoch"].unique().tolist() == epochs
        subset = load_subset(scored.path(f"data/select/{name}-0.5.parquet"))
        assert set(subset.ids) == set(table.nlargest(len(subset.ids), f"{name}_epoch6_mean")["id"])
    at_end = detection[(detection["epoch"] == 6) & (detection["sample"] == "in")].groupby("detector").last()
    assert at_end.loc[["el2n", "label_neighbours", "accumulated_margin", "learning_time"], "auroc"].min() > 0.7

    # the mean of each seed's part is that over all pairs of seeds of both cohorts
    parts = load_scores(scored.path(f"data/scores/{cohort}-ensemble_agreement.safetensors") for cohort in "ab")
    np.testing.assert_allclose(parts.values.mean(axis=0)[3], table["ensemble_agreement_epoch6_mean"], rtol=1e-5)
    for file in ("reliability", "transfer", "agreement"):  # they are not independent
        assert "ensemble_agreement" not in set(load_table(scored.path(f"plots/{file}.csv"))["score"])
    others = set(load_table(scored.path("plots/transfer.csv"))["score"])
    assert others == set(SCORES) - {"ensemble_agreement", "label_neighbours", "donod", "influence_effort"}

    # a further score is in the list of its own stage, and in no other
    lists = scored.files("data/code")
    scored.set("score.scores", [*SCORES, "variability", "prototype_distance"])
    in_this_process(scored, "check", monkeypatch)()
    changed = {name for name, content in scored.files("data/code").items() if content != lists[name]}
    assert changed == {"data/code/score.txt", "data/code/experiment.json"}
    assert b"of_losses/variability.py" in scored.files("data/code")["data/code/score.txt"]
    assert b"of_losses/variability.py" not in lists["data/code/score.txt"]
