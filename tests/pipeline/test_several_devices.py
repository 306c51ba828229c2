"""Stages whose networks each train in two processes leave what one process leaves, to rounding."""

import shutil

import numpy as np
import pytest

from tests.pipeline.clone import Clone
from winnow.storage import load_table, load_tensors

pytestmark = pytest.mark.pipeline


@pytest.mark.parametrize(
    ("stage", "folders"),
    [
        ("dense", ("data/tickets/dense", "data/rewind/dense")),  # one training goes on where another ended
        ("prune@l1", ("data/tickets/l1",)),  # the leader alone prunes, before all train
    ],
)
def test_two_devices_leave_what_one_leaves(clone: Clone, finished: Clone, stage: str, folders: tuple[str, ...]) -> None:
    done = clone.stage(stage, WINNOW_DEVICE="cpu,cpu")
    assert done.returncode == 0, done.stdout
    found, expected = clone.files(*folders), finished.files(*folders)
    assert found.keys() == expected.keys()
    assert found != expected  # or one process may have done it all
    for name in found:
        if name.endswith(".safetensors"):
            one, other = load_tensors(clone.path(name)), load_tensors(finished.path(name))
            assert one.keys() == other.keys()
            for key, value in other.items():
                np.testing.assert_allclose(one[key], value, rtol=1e-3, atol=1e-3, err_msg=f"{name} {key}")
        elif name.endswith(".csv"):
            table, other_table = load_table(clone.path(name)), load_table(finished.path(name))
            assert list(table) == list(other_table)
            np.testing.assert_allclose(
                table.select_dtypes("number"), other_table.select_dtypes("number"), rtol=1e-3, atol=1e-3, err_msg=name
            )


def test_a_level_whose_length_depends_on_its_tickets_and_that_has_a_teacher(clone: Clone) -> None:
    level = {"parent": "dense", "rewind": "dense", "data": "full", "weights": "fresh", "schedule": "same_budget"}
    clone.set("pruning.levels", {"long": {**level, "prune": 0.3, "distil": 0.5}})
    for key, none in (("connectivity.matrix", []), ("curvature.levels", []), ("perturbation.runs", {})):
        clone.set(key, none)
    assert clone.stage("check").returncode == 0
    histories = []
    for devices in ("cpu,cpu", "cpu"):
        done = clone.stage("prune@long", WINNOW_DEVICE=devices)
        assert done.returncode == 0, done.stdout
        histories.append(load_table(clone.path("data/tickets/long/seed200/history.csv")))
        shutil.rmtree(clone.path("data/tickets/long"))
    both, alone = (table.select_dtypes("number").to_numpy() for table in histories)
    assert both.shape == alone.shape
    np.testing.assert_allclose(both[:3], alone[:3], rtol=1e-2)  # later epochs enlarge what rounding made


def test_a_mistake_is_told_once(clone: Clone) -> None:
    clone.set("trainings.four", {"length": "4 epochs", "batch_size": 1000})
    done = clone.stage("dense", WINNOW_DEVICE="cpu,cpu")
    assert done.returncode == 1
    assert done.stdout.count("error: ") == 1
    assert "batch_size" in done.stdout
    assert "Traceback" not in done.stdout
