"""A change reruns the stages that read what has changed, and no other. All of this really runs DVC.

Two changes whose stages are disjoint, but for check, are made at once: a run of DVC costs seconds.
"""

import json
import re

import pytest
from clone import ROOT, Clone, read_yaml

from stages.code import imported_files

pytestmark = pytest.mark.pipeline

# What is cheap and reads all tickets: no training, and no line between networks but those of the matrix.
OF_ALL_LEVELS = {"connectivity_pairs", "magnitudes", "tickets", "ticket_figures"}


def test_a_new_cohort_trains_its_own_seeds_only(clone: Clone) -> None:
    before = clone.files("data/early/a", "data/early/b", "data/select/random-0.5.parquet")
    times = {path: clone.path(path).stat().st_mtime_ns for path in before}
    clone.set("early.cohorts.c", [3])
    ran = clone.repro()
    # the mean scores have changed, and with them the images picked by el2n, but not the random ones
    scores = {"score@c-el2n", "score@c-random", "score_gradients@c-grand"}
    selected = {"select@el2n-0.5", "select@random-0.5"}
    after = {"retrain@el2n-0.5", "compare", "figures"}
    assert set(ran) == {"check", "early@c", *scores, "aggregate", *selected, *after}
    assert clone.files(*before) == before
    assert {path: clone.path(path).stat().st_mtime_ns for path in before if "early" in path} == {
        path: time for path, time in times.items() if "early" in path
    }


def test_a_new_score_and_another_look_at_the_solutions_train_nothing(clone: Clone) -> None:
    clone.set("score.scores", ["el2n", "random", "margin"])
    clone.set("curvature.steps", 5)
    clone.set("connectivity.matrix", ["dense", "l1"])
    # select finds the same images in a larger table
    of_scores = {"score@a-margin", "score@b-margin", "aggregate", "select@el2n-0.5", "select@random-0.5", "figures"}
    of_tickets = {"curvature@l1", "connectivity_pairs", "tickets", "ticket_figures"}
    assert set(clone.repro()) == {"check", *of_scores, *of_tickets}


def test_a_new_keep_and_a_new_level_train_themselves_only_and_another_cut_all_below_it(clone: Clone) -> None:
    clone.set("select.keep", [0.5, 0.8])
    level = {"parent": "l2", "rewind": "dense", "data": "full", "variant": "imp", "cut": 0.4}
    clone.set("imp.levels.l3", level)
    of_keep = {"select@el2n-0.8", "select@random-0.8", "retrain@el2n-0.8", "retrain@random-0.8", "compare", "figures"}
    assert set(clone.repro()) == {"check", *of_keep, "imp@l3", "connectivity@l3", *OF_ALL_LEVELS}
    clone.set("imp.levels.l2.cut", 0.5)
    on_levels = [f"connectivity@{level}" for level in ("l1", "l2", "l3", "o2")]
    ran = clone.repro(*on_levels, "curvature@l1", "perturbation@p")
    assert set(ran) == {"check", "imp@l2", "imp@l3", "connectivity@l2", "connectivity@l3"}


def test_another_rewind_point_trains_what_begins_there(clone: Clone) -> None:
    clone.set("imp.rewinds.early.length", "4 steps")
    assert clone.repro("imp@l2", "imp@o2") == ["check", "rewind@early", "imp@o2"]


def test_a_change_of_the_dense_rewind_point_trains_all_levels_from_it(clone: Clone) -> None:
    clone.set("dense.rewind", "2 epochs")
    assert clone.repro("imp@l2") == ["check", "dense", "imp@l1", "imp@l2"]


def test_a_new_style_draws_the_pictures_again_and_the_old_one_comes_from_the_cache(clone: Clone) -> None:
    as_before = clone.path("params.yaml").read_text()
    clone.set("figures.dpi", 70)
    # neither order nor layout of params.yaml matter
    values = read_yaml(clone.path("params.yaml"))
    clone.path("params.yaml").write_text(json.dumps(dict(reversed(values.items()))))  # json is YAML too
    assert clone.repro() == ["check", "figures", "ticket_figures"]
    clone.path("params.yaml").write_text(as_before)
    assert clone.repro(WINNOW_WORKERS="1") == []  # nor does the number of processes


IMPORTED_BY: dict[str, set[str]] = {
    "src/winnow/report/mosaic.py": {"figures"},
    "src/winnow/scores/el2n.py": set(),  # the stages of a score depend on its module themselves
    "src/winnow/scores/margin.py": set(),
    "src/winnow/subsets/policies.py": {"select"},
    "src/winnow/params/whole.py": {"check"},
    "src/winnow/report/comparison.py": {"compare", "figures"},
    "src/winnow/tickets/summary.py": {"tickets", "ticket_figures"},
    "src/winnow/tickets/variants.py": {"imp"},
    "src/winnow/training/loop.py": {"early", "retrain", "rewind", "dense", "imp", "spawn", "perturbation"},
}


def test_a_module_is_in_the_lists_of_the_scripts_that_import_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lists = read_yaml(ROOT / "dvc.yaml")["stages"]["code"]["outs"]
    scripts = [re.sub(r"data/code/(\w+)\.txt", r"\1", path) for path in lists]
    files = {script: {path.as_posix() for path in imported_files(script)} for script in scripts}
    assert {module: {name for name in scripts if module in files[name]} for module in IMPORTED_BY} == IMPORTED_BY


def test_a_change_of_code_reruns_the_stages_that_import_it(clone: Clone) -> None:
    trainings = ("src/winnow/tickets/variants.py", "src/winnow/training/loop.py")
    for module in IMPORTED_BY.keys() - trainings:
        clone.comment(module)
    assert set(clone.repro()) == {
        *("code", "check", "compare", "figures", "tickets", "ticket_figures"),
        *("score@a-el2n", "score@b-el2n"),  # their outputs are the same, so nothing after them
        *("select@el2n-0.5", "select@random-0.5"),
    }
    for module in trainings:
        clone.comment(module)
    assert clone.repro("code") == ["code"]
    assert set(re.findall(r"^(\S+):$", clone.do("dvc", "status"), re.MULTILINE)) == {
        *("early@a", "early@b", "retrain@el2n-0.5", "retrain@random-0.5", "retrain_full"),
        *("rewind@early", "dense", "imp@l1", "imp@l2", "imp@o2", "spawn", "perturbation@p"),
    }
