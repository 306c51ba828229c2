"""A change reruns the stages that read what has changed, and no other. All of this really runs DVC."""

import json
import re

import pytest
from clone import Clone, read_yaml

pytestmark = pytest.mark.pipeline


def test_nothing_reruns_when_nothing_has_changed(clone: Clone) -> None:
    assert clone.repro(WINNOW_WORKERS="1") == []  # nor with another number of processes


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


def test_a_new_keep_is_the_only_one_that_is_selected_and_retrained(clone: Clone) -> None:
    clone.set("select.keep", [0.5, 0.8])
    selected = {"select@el2n-0.8", "select@random-0.8"}
    retrained = {"retrain@el2n-0.8", "retrain@random-0.8"}
    assert set(clone.repro()) == {"check", *selected, *retrained, "compare", "figures"}


def test_a_new_score_trains_nothing(clone: Clone) -> None:
    clone.set("score.scores", ["el2n", "random", "margin"])
    ran = clone.repro()
    # select finds the same images in a larger table
    selected = {"select@el2n-0.5", "select@random-0.5"}
    assert set(ran) == {"check", "score@a-margin", "score@b-margin", "aggregate", *selected, "figures"}


def test_a_new_style_draws_the_pictures_again(clone: Clone) -> None:
    clone.set("figures.dpi", 70)
    assert clone.repro() == ["check", "figures", "ticket_figures"]


# Tickets. What is cheap and reads all levels: no training, and no line between networks but those of the matrix.
OF_ALL_LEVELS = {"connectivity_pairs", "magnitudes", "tickets", "ticket_figures"}


def test_a_new_level_trains_itself_only(clone: Clone) -> None:
    level = {"parent": "l2", "rewind": "dense", "data": "full", "variant": "imp", "cut": 0.4}
    clone.set("imp.levels.l3", level)
    assert set(clone.repro()) == {"check", "imp@l3", "connectivity@l3", *OF_ALL_LEVELS}


def test_another_cut_trains_the_level_and_those_below_it(clone: Clone) -> None:
    clone.set("imp.levels.l2.cut", 0.5)
    assert clone.repro("connectivity@l2", "imp@o2") == ["check", "imp@l2", "connectivity@l2"]
    clone.set("imp.levels.l1.cut", 0.5)
    assert clone.repro("imp@l2", "imp@o2") == ["check", "imp@l1", "imp@l2"]


def test_another_look_at_the_solutions_trains_nothing(clone: Clone) -> None:
    clone.set("curvature.steps", 5)
    clone.set("connectivity.matrix", ["dense", "l1"])
    assert set(clone.repro()) == {"check", "curvature@l1", "connectivity_pairs", "tickets", "ticket_figures"}


def test_another_rewind_point_trains_what_begins_there(clone: Clone) -> None:
    clone.set("imp.rewinds.early.length", "4 steps")
    assert clone.repro("imp@l2", "imp@o2") == ["check", "rewind@early", "imp@o2"]


def test_a_change_of_the_dense_rewind_point_trains_all_levels_from_it(clone: Clone) -> None:
    clone.set("dense.rewind", "2 epochs")
    assert clone.repro("imp@l2") == ["check", "dense", "imp@l1", "imp@l2"]


@pytest.mark.parametrize(
    ("module", "stages"),
    [
        ("src/winnow/report/mosaic.py", {"figures"}),
        ("src/winnow/scores/el2n.py", {"score@a-el2n", "score@b-el2n"}),  # its output is the same, so nothing after it
        ("src/winnow/subsets/policies.py", {"select@el2n-0.5", "select@random-0.5"}),
        ("src/winnow/params/whole.py", {"check"}),
        ("src/winnow/report/comparison.py", {"compare", "figures"}),
        ("src/winnow/scores/margin.py", set()),  # a score that this experiment does not have
        ("src/winnow/tickets/summary.py", {"tickets", "ticket_figures"}),
    ],
)
def test_a_change_of_code_reruns_the_stages_that_import_it(module: str, stages: set[str], clone: Clone) -> None:
    clone.comment(module)
    assert set(clone.repro()) == {"code", *stages}


LEVELS = {"imp@l1", "imp@l2", "imp@o2"}
PRUNED = {"retrain@el2n-0.5", "retrain@random-0.5", "retrain_full"}
OTHER_TICKETS = {"rewind@early", "dense", "spawn", "perturbation@p"}


@pytest.mark.parametrize(
    ("module", "stages"),
    [
        ("src/winnow/training/loop.py", {"early@a", "early@b"} | PRUNED | LEVELS | OTHER_TICKETS),
        ("src/winnow/tickets/variants.py", LEVELS),
    ],
)
def test_a_change_of_code_would_rerun_every_training_with_it(module: str, stages: set[str], clone: Clone) -> None:
    clone.comment(module)
    assert clone.repro("code") == ["code"]
    assert set(re.findall(r"^(\S+):$", clone.do("dvc", "status"), re.MULTILINE)) == stages


def test_a_value_that_was_there_before_comes_from_the_cache(clone: Clone) -> None:
    clone.set("figures.dpi", 70)
    clone.repro()
    clone.set("figures.dpi", 60)
    assert clone.repro() == []


def test_the_order_and_layout_of_params_do_not_matter(clone: Clone) -> None:
    values = read_yaml(clone.path("params.yaml"))
    clone.path("params.yaml").write_text(json.dumps(dict(reversed(values.items()))))  # json is YAML too
    assert clone.repro() == ["check"]
