"""Steps, images and products of every stage, against counts made by hand from params.yaml."""

from pathlib import Path
from typing import Any

import pytest

from winnow import recipe
from winnow.cost.sizes import Sizes
from winnow.cost.work import Experiment, Work, work_of_all
from winnow.experiment import load_params

DIGITS = Sizes(train=1211, validation=136, test=450, classes=10, shape=(1, 8, 8))  # as download says
EPOCH = 1211 // 64  # steps


def work(tmp_path: Path, name: str = "default", sizes: Sizes = DIGITS, **sections: Any) -> dict[str, Work]:
    path = tmp_path / "params.yaml"
    path.write_text(recipe.expanded(name, sections))
    return work_of_all(Experiment(load_params(path), sizes))


def of_kind(found: Work, kind: str, **about: Any) -> float:
    return sum(
        count
        for unit, count in found.units.items()
        if unit.kind == kind and all(getattr(unit, key) == value for key, value in about.items())
    )


def test_every_stage_that_computes_with_networks_is_counted(tmp_path):
    import yaml  # of DVC's

    found = work(tmp_path)
    kinds = {name.partition("@")[0] for name in found}
    light = {"check", "download", "labels", "score", "select", "compare", "figures", "tickets", "ticket_figures",
             "claims", "report", "target_download"}  # fmt: skip
    stages = yaml.safe_load((Path(__file__).parents[2] / "dvc.yaml").read_text())["stages"]
    unused = {"second_split", "pretrain", "target_outputs", "compression", "retrain_visits", "teacher",
              "retrain_recipes", "finetune", "finetune_ends"}  # fmt: skip
    assert kinds == set(stages) - light - unused


def test_scores(tmp_path):
    found = work(tmp_path)
    early = found["early@a"]
    assert of_kind(early, "step") == 5 * 8 * EPOCH  # five seeds, to epoch 8
    assert of_kind(early, "pass") == 5 * (5 * 1211 + 9 * 136)  # five scored epochs; validation before and after each
    assert early.pieces == 5
    assert of_kind(found["score_gradients@a-grand"], "gradient", score="grand") == 5 * 5 * 1211
    assert of_kind(found["ntk@a"], "gram", group=10) == 5 * 8 * 5  # seeds, groups, networks
    assert of_kind(found["transfer@lenet"], "step") == 3 * 8 * EPOCH
    assert found["transfer@lenet"].pieces == 3


def test_parts_of_the_images(tmp_path):
    early = {"cohorts": {"a": {"seeds": [0, 1, 2, 3], "folds": 2}, "b": {"seeds": [5, 6], "share": 0.25}}}
    found = work(tmp_path, early=early)
    assert of_kind(found["early@a"], "step") == 4 * 8 * (605 // 64)
    assert of_kind(found["early@b"], "step") == 2 * 8 * (302 // 64)


def test_retraining_takes_as_many_steps_or_as_many_epochs(tmp_path):
    found = work(tmp_path)
    for name in ("retrain@el2n-0.1", "retrain_sweep@el2n-window0-0.5", "retrain_full"):
        assert of_kind(found[name], "step") == 5 * 30 * EPOCH
        assert of_kind(found[name], "pass") == 5 * (136 + 450)
    found = work(tmp_path, retrain={"budget": "epochs"})
    assert of_kind(found["retrain@el2n-0.1"], "step") == 5 * 30 * (121 // 64)
    assert of_kind(found["retrain_full"], "step") == 5 * 30 * EPOCH


def test_other_ways_to_train(tmp_path):
    retrain = {
        "visits": {"third": {"method": "rs2", "keep": 0.3}, "infobatch": {}},
        "recipes": {"kd": {"teacher": "full"}, "passes": {"budget": "epochs"}},
    }
    found = work(tmp_path, retrain=retrain)
    assert of_kind(found["retrain_visits@third"], "step") == pytest.approx(0.3 * 5 * 30 * EPOCH)
    assert of_kind(found["retrain_visits@infobatch"], "step") == pytest.approx(0.7 * 5 * 30 * EPOCH)
    assert of_kind(found["teacher@kd"], "pass") == 5 * 1211
    assert not found["teacher@passes"].units
    assert of_kind(found["retrain_recipes@el2n-0.5-kd"], "step") == 5 * 30 * EPOCH
    assert of_kind(found["retrain_recipes@el2n-0.5-passes"], "step") == 5 * 30 * (606 // 64)


def test_networks_without_labels_and_halves(tmp_path):
    found = work(
        tmp_path,
        second_split={"cohorts": {"s": [400, 401]}},
        pretrain={"cohorts": {"p": {"seeds": [500, 501], "network": "small", "training": "short"}}},
    )
    halves = found["second_split@s"]
    assert of_kind(halves, "step") == 2 * 2 * 2 * 30 * (605 // 64)  # seeds, orders, halves
    assert of_kind(halves, "pass") == 2 * 2 * 30 * 605
    assert halves.pieces == 4
    assert of_kind(found["pretrain@p"], "twins") == 2 * 30 * EPOCH


def test_tickets(tmp_path):
    found = work(tmp_path)
    tau, every = 2 * EPOCH, 30 * EPOCH
    assert of_kind(found["dense"], "step", masked=False) == 3 * tau
    assert of_kind(found["dense"], "step", masked=True) == 3 * (every - tau)
    measured = 1000 + 136 + 450
    assert of_kind(found["dense"], "pass") == 3 * measured
    assert of_kind(found["rewind@tenth"], "step") == 3 * tau
    assert of_kind(found["prune@l1"], "step") == 3 * (every - tau)
    assert of_kind(found["prune@l1"], "pass") == 3 * (measured + 2 * (1000 + measured))
    assert of_kind(found["prune@f7"], "step") == 3 * every
    assert of_kind(found["prune@r7"], "pass") == 3 * measured  # as many weights as its parent: no cut to measure
    assert of_kind(found["spawn"], "step", masked=False) == 3 * tau
    assert of_kind(found["spawn"], "step", masked=True) == 3 * 2 * (every + every - tau)
    assert found["spawn"].pieces == 12
    assert of_kind(found["perturbation@dense"], "step") == 3 * 3 * (every - tau)
    # 19 levels to their parents, the others also to dense, and what the list of five adds
    levels = load_params(tmp_path / "params.yaml").pruning.levels
    pairs = {(level.parent, name) for name, level in levels.items()} | {("dense", name) for name in levels}
    pairs |= {("l1", "l3"), ("l1", "l5"), ("l1", "l7"), ("l3", "l5"), ("l3", "l7"), ("l5", "l7")}
    lines = 3 * (len(pairs) + 2)  # and two pairs of children
    images = 500 + 500 + 450  # recalibrated on, measured on
    assert of_kind(found["connectivity"], "pass") == 9 * (lines * images + 6 * 3 * 200)
    assert found["connectivity"].pieces == lines


def test_a_level_that_does_not_train_and_epochs_that_are_measured(tmp_path):
    levels = {
        "l1": {"parent": "dense", "variant": "imp", "prune": 0.4},
        "n1": {"parent": "dense", "weights": "trained", "schedule": "no_training", "prune": 0.4},
        "b1": {"parent": "l1", "weights": "fresh", "schedule": "same_budget", "prune": 0.1},
    }
    few = {
        "pruning": {"levels": levels, "rewinds": {}},
        "connectivity": {"matrix": ["dense", "l1"]},
        "curvature": {"levels": ["l1"]},
        "perturbation": {"runs": {}},
        "dense": {"measure": "1 epoch"},
    }
    found = work(tmp_path, **few)
    assert of_kind(found["prune@n1"], "step") == 0
    assert of_kind(found["prune@b1"], "step") == 3 * round(30 * EPOCH / (0.6 * 0.9))  # it costs what the dense one does
    measured = 1000 + 136 + 450
    assert of_kind(found["prune@l1"], "pass") == 3 * (measured + 28 * 136 + 2 * (1000 + measured))
    assert of_kind(found["curvature@l1"], "product") % (3 * 250) == 0


def test_only_lines_that_are_not_there_are_counted(tmp_path):
    (tmp_path / "params.yaml").write_text(recipe.expanded("default", {"spawn": {"at": []}}))
    experiment = Experiment(load_params(tmp_path / "params.yaml"), DIGITS)
    found = work_of_all(experiment, lambda pair: pair != "dense-l1")["connectivity"]
    assert of_kind(found, "pass") == 3 * 9 * (500 + 500 + 450)


def test_without_tickets(tmp_path):
    assert not {"dense", "spawn", "connectivity"} & work(tmp_path, "suspects").keys()


def test_on_a_gpu_all_seeds_train_in_one_step(tmp_path):
    (tmp_path / "params.yaml").write_text(recipe.expanded("default", {}))
    experiment = Experiment(load_params(tmp_path / "params.yaml"), DIGITS, together=lambda seeds: seeds)
    found = work_of_all(experiment)
    assert of_kind(found["retrain_full"], "step", networks=5) == 30 * EPOCH
    assert found["retrain_full"].pieces == 1


def test_too_few_images_are_told_as_the_stage_would(tmp_path, user_error):
    with user_error("params.yaml: early@a: batch_size: 64 is more than the 50 images"):
        work(tmp_path, sizes=Sizes(50, 5, 10, 10, (1, 8, 8)))


@pytest.mark.parametrize("name", ["digits-full", "mnist", "pool-and-target", "pruning-resnet", "selection-teacher"])
def test_every_recipe_has_an_estimate(tmp_path, name):
    sizes = Sizes(45000, 5000, 10000, 10, (3, 32, 32))
    for stage, one in work(tmp_path, name, sizes).items():
        assert one.pieces >= 1, stage
        assert all(count > 0 for count in one.units.values()), stage
