"""A change reruns the stages that read what has changed, and no other. All of this really runs DVC.

Two changes whose stages are disjoint, but for check, are made at once: a run of DVC costs seconds.
"""

import json
import re

import pandas as pd
import pytest

from tests.pipeline.clone import ROOT, Clone, ran, read_yaml
from winnow.scores.families import OF_FILES, OF_GRADIENTS, WITHOUT_EPOCH
from winnow.scores.seed_scores import load_scores
from winnow.selection.files import load_subset
from winnow.stages._code import imported_files
from winnow.storage import load_table

pytestmark = pytest.mark.pipeline

# What is cheap and reads all tickets: no training, and no line that was measured before.
OF_ALL_LEVELS = {"connectivity", "tickets", "ticket_figures"}
OF_ALL_SUBSETS = {"compare", "figures", "claims", "report"}


def lines(clone: Clone) -> dict[str, int]:
    """When each line between tickets was measured."""
    root = clone.path("data/landscape/lines")
    return {path.relative_to(root).as_posix(): path.stat().st_mtime_ns for path in root.rglob("*.parquet")}


def test_a_new_cohort_trains_its_own_seeds_only(clone: Clone) -> None:
    before = clone.files("data/early", "data/select/random-0.5.parquet")
    times = {path: clone.path(path).stat().st_mtime_ns for path in before if "early" in path}
    clone.set("early.cohorts.c", [3])
    ran = clone.make("compare")  # without the pictures, which are tested below
    # the mean scores have changed, and with them the images picked by el2n, but not the random ones
    of_the_cohort = {"early@c", "score_gradients@c-grand"}
    assert set(ran) == {*of_the_cohort, "score", "select", "retrain@el2n-0.5", "compare"}
    assert clone.files(*before) == before
    assert {path: clone.path(path).stat().st_mtime_ns for path in times} == times


def test_a_new_score_and_another_look_at_the_solutions_train_nothing(clone: Clone) -> None:
    measured = lines(clone)
    clone.set("score.scores", ["el2n", "random", "margin"])
    clone.set("curvature.lanczos_steps", 5)
    clone.set("connectivity.matrix", ["dense", "o2"])
    clone.set("connectivity.subsets.images", 30)
    # select finds the same images in a larger table
    of_tickets = {"curvature@l1", "connectivity", "tickets", "ticket_figures"}
    assert set(clone.make()) == {"score", "select", "figures", "claims", "report", *of_tickets}
    # l1 to l2 is measured for l2 still; only lines on other images are measured again
    now = lines(clone)
    assert {line.split("/")[0] for line in measured if now[line] != measured[line]} == {"children"}


def test_a_new_keep_and_a_new_level_train_themselves_only_and_another_cut_all_below_it(clone: Clone) -> None:
    measured = lines(clone)
    clone.set("select.keep", [0.5, 0.8])
    level = {"parent": "l2", "rewind": "dense", "data": "full", "variant": "imp", "prune": 0.4}
    clone.set("pruning.levels.l3", level)
    of_keep = {"select", "retrain@el2n-0.8", "retrain@random-0.8", "compare"}
    assert set(clone.make("compare", "tickets")) == {*of_keep, "prune@l3", "connectivity", "tickets"}
    after = lines(clone)
    assert {line.split("/seed")[0] for line in after.keys() - measured.keys()} == {"levels/l2-l3", "levels/dense-l3"}
    assert {line: after[line] for line in measured} == measured
    clone.set("pruning.levels.l2.prune", 0.5)
    ran = clone.make("connectivity", "curvature@l1", "perturbation@p")
    assert set(ran) == {"prune@l2", "prune@l3", "connectivity"}
    now = lines(clone)
    again = {line.split("/seed")[0] for line in after if now[line] != after[line]}
    assert again == {f"levels/{pair}" for pair in ("l1-l2", "l2-l3", "dense-l2", "dense-l3")}


def test_a_new_method_of_a_sweep_trains_itself_only_and_moves_to_select_untrained(clone: Clone) -> None:
    clone.set("sweep.methods", ["el2n-seeds1", "el2n-seeds2"])
    assert set(clone.make("compare")) == {"select", "retrain_sweep@el2n-seeds2-0.5", "compare"}
    clone.set("sweep", {"methods": [], "keep": []})
    clone.set("select.methods", ["el2n", "random", "el2n-seeds2"])
    assert set(clone.make("compare")) == {"select", "compare"}


def test_another_rewind_point_trains_what_begins_there_and_a_new_method_its_subsets(clone: Clone) -> None:
    clone.set("pruning.rewinds.early.length", "4 steps")
    methods = {"el2n": {}, "random": {}, "far": {"method": "k_center"}, "ccs": {"score": "el2n", "cutoff": 0.1}}
    clone.set("select.methods", methods)
    of_methods = {"select", "retrain@far-0.5", "retrain@ccs-0.5", "compare"}
    assert set(clone.make("compare", "prune@l2", "prune@o2")) == {*of_methods, "rewind@early", "prune@o2"}
    accuracy = json.loads(clone.path("metrics/retrain.json").read_text())["test"]
    assert set(accuracy) == {"el2n-0.5", "random-0.5", "far-0.5", "ccs-0.5", "el2n-seeds1-0.5", "full"}


def test_a_source_trains_itself_only_whatever_its_network_is_called_and_a_method_ranks_by_its_scores(
    clone: Clone,
) -> None:
    before = clone.files("data/select", "data/early")
    values = read_yaml(clone.path("params.yaml"))
    clone.set("networks.renamed", values["networks"]["lenet"])
    clone.set("transfer.sources.other.network", "renamed")
    clone.set("transfer.sources.new", {"seeds": [301, 302], "network": "small", "training": "short"})
    clone.set("select.methods", ["el2n", "random", "el2n-fromnew"])
    of_method = {"select", "retrain@el2n-fromnew-0.5", "compare"}
    # DVC sees another key, of the same values
    assert set(clone.make("compare")) == {"transfer@other", "transfer@new", "score", *of_method}
    assert clone.files(*before) == before
    scores = load_scores([clone.path("data/scores/from-new-el2n.safetensors")])
    assert scores.seeds == [301, 302]
    table = load_table(clone.path("data/scores/scores.parquet"))
    kept = load_subset(clone.path("data/select/el2n-fromnew-0.5.parquet")).ids
    mean = pd.Series(scores.values[:, scores.epochs.index(6)].mean(axis=0), table["id"])
    assert mean[kept].min() > mean.drop(kept).max()


def test_items_that_are_taken_out_leave_nothing_and_come_back_untrained(clone: Clone) -> None:
    """A method, a cohort, a score, a level and a perturbed run, which later stages read by the folder."""
    params, outs = clone.path("params.yaml").read_text(), clone.files("data", "plots", "metrics")
    clone.set("select.methods", ["random"])
    clone.set("early.cohorts", {"a": [0, 1]})
    clone.set("transfer.sources", {})
    clone.set("score.gradients", [])
    values = read_yaml(clone.path("params.yaml"))
    del values["pruning"]["levels"]["o2"]
    clone.set("pruning.levels", values["pruning"]["levels"])
    clone.set("perturbation.runs", {})
    clone.set("curvature.levels", [])
    ran = clone.make()
    assert [
        stage
        for stage in ran
        if stage.startswith(("early", "transfer", "retrain", "prune", "dense", "spawn", "curvature"))
    ] == []
    assert {path.name for path in clone.path("data/early").iterdir()} == {"a"}
    assert {path.name for path in clone.path("data/retrain").iterdir()} == {"random-0.5", "el2n-seeds1-0.5", "full"}
    assert {path.name for path in clone.path("data/tickets").iterdir()} == {"none", "dense", "l1", "l2"}
    assert list(clone.path("data/landscape/perturbation").iterdir()) == []
    assert {path.name for path in clone.path("data/landscape/lines/levels").iterdir()} == {
        *("dense-l1", "dense-l2", "l1-l2")
    }
    clone.path("params.yaml").write_text(params)
    ran = clone.make()
    assert set(ran) <= {"score", "select", *OF_ALL_SUBSETS, *OF_ALL_LEVELS}
    assert clone.files("data", "plots", "metrics") == outs


def test_a_change_of_the_dense_rewind_point_trains_all_levels_from_it(clone: Clone) -> None:
    clone.set("dense.rewind", "2 epochs")
    assert clone.make("prune@l2") == ["dense", "prune@l1", "prune@l2"]


def test_a_new_style_draws_the_pictures_again_and_the_old_one_comes_from_the_cache(clone: Clone) -> None:
    as_before = clone.path("params.yaml").read_text()
    clone.set("figures.dpi", 70)
    # neither order nor layout of params.yaml matter
    values = read_yaml(clone.path("params.yaml"))
    clone.path("params.yaml").write_text(json.dumps(dict(reversed(values.items()))))  # json is YAML too
    assert set(clone.make()) == {"figures", "ticket_figures", "report"}
    clone.path("params.yaml").write_text(as_before)
    assert clone.repro(WINNOW_WORKERS="1") == []  # nor does the number of processes


def test_a_training_by_another_name_trains_those_that_say_it_and_gives_the_same(clone: Clone) -> None:
    outs = clone.files("data/early", "data/scores", "data/select")
    values = read_yaml(clone.path("params.yaml"))
    clone.set("trainings.renamed", values["trainings"]["six"])
    assert clone.make("retrain@random-0.5") == []  # what nothing uses
    clone.set("early.training", "renamed")
    assert clone.make("compare", "connectivity") == ["early@a", "early@b"]
    assert clone.files("data/early", "data/scores", "data/select") == outs


def test_an_experiment_with_another_training_trains_the_sections_that_name_it(clone: Clone) -> None:
    printed = clone.do("dvc", "exp", "run", "--set-param", "trainings.six.batch_size=16", "early")
    assert set(ran(printed)) == {"early@a", "early@b"}
    assert read_yaml(clone.path("params.yaml"))["trainings"]["six"]["batch_size"] == 16
    assert "trainings.six.batch_size" in clone.do("dvc", "params", "diff")
    assert "up to date" in clone.do("dvc", "status", "retrain_full", "dense")  # trained by the other one


# As the stage check has it for every experiment
WITH_EPOCH = dict.fromkeys([*(name for name in OF_FILES if name not in WITHOUT_EPOCH), OF_GRADIENTS], ())
NOT_COMPUTED = {
    "score": {OF_GRADIENTS: []},
    "score_gradients": dict.fromkeys(OF_FILES, ()),
    "compare": WITH_EPOCH,
    "claims": WITH_EPOCH,
}
IMPORTED_BY: dict[str, set[str]] = {
    "src/winnow/report/mosaic.py": {"figures"},
    "src/winnow/scores/of_outputs/el2n.py": {"score"},
    "src/winnow/scores/of_gradients/grand.py": {"score_gradients"},
    "src/winnow/scores/neighbours.py": {"score"},
    "src/winnow/autograd/gram_products.py": {"ntk"},
    "src/winnow/selection/methods/ranked.py": {"claims", "compare", "select"},
    "src/winnow/experiment.py": set(),
    "src/winnow/analysis/comparison.py": {"claims", "compare", "figures", "report", "score"},
    "src/winnow/analysis/summary.py": {"tickets", "ticket_figures"},
    "src/winnow/tickets/level.py": {"prune"},
    "src/winnow/training/loop.py": {
        *("early", "second_split", "transfer", "retrain", "retrain_recipes", "retrain_visits", "finetune", "rewind"),
        *("dense", "prune", "spawn", "perturbation", "pretrain"),
    },
    "src/winnow/repro/scheduler.py": set(),
}


def test_a_module_is_in_the_lists_of_the_scripts_that_import_it() -> None:
    scripts = [path.stem for path in (ROOT / "src/winnow/stages").glob("[a-z]*.py") if path.stem != "check"]
    files = {
        script: {
            path.relative_to(ROOT).as_posix()
            for path in imported_files(f"winnow.stages.{script}", NOT_COMPUTED.get(script))
        }
        for script in scripts
    }
    assert {module: {name for name in scripts if module in files[name]} for module in IMPORTED_BY} == IMPORTED_BY


def test_prose_reruns_nothing_and_a_renamed_local_variable_what_it_is_part_of(clone: Clone) -> None:
    """A comment, a docstring and other line breaks, in modules that everything imports; a variable in one of select."""
    for module in ("src/winnow/storage.py", "src/winnow/training/loop.py", "src/winnow/stages/_stage.py"):
        text = clone.path(module).read_text()
        assert text.startswith('"""')
        text = text.replace('"""', '"""Said in other words. ', 1).replace("\nimport ", "\n\n# a remark\n\nimport ", 1)
        clone.path(module).write_text(text)
    ranked = clone.path("src/winnow/selection/methods/ranked.py")
    assert "skipped = " in ranked.read_text()
    ranked.write_text(ranked.read_text().replace("skipped", "passed_over"))
    assert set(clone.repro()) == {"select", "compare", "claims"}


def test_a_change_of_code_reruns_the_stages_that_import_it(clone: Clone) -> None:
    trainings = ("src/winnow/tickets/level.py", "src/winnow/training/loop.py")
    for module in IMPORTED_BY.keys() - trainings:
        clone.recode(module)
    assert set(clone.make()) == {
        *("compare", "figures", "claims", "tickets", "ticket_figures", "report"),
        *("score_gradients@a-grand", "score_gradients@b-grand", "ntk@a", "ntk@b"),
        *("score", "select"),  # nothing after: the same outputs
    }
    for module in trainings:
        clone.recode(module)
    assert clone.repro("check") == []
    assert set(re.findall(r"^(\S+):$", clone.do("dvc", "status"), re.MULTILINE)) == {
        "check",  # as always
        "retrain_sweep@el2n-seeds1-0.5",
        *("early@a", "early@b", "transfer@other", "retrain@el2n-0.5", "retrain@random-0.5", "retrain_full"),
        *("rewind@early", "dense", "prune@l1", "prune@l2", "prune@o2", "spawn", "perturbation@p"),
    }
