"""A stage sees what dvc.yaml declares for it, and nothing else."""

from types import SimpleNamespace

import pytest

from winnow.params.early import Early
from winnow.params.select import Select
from winnow.params.training import Network, Training
from winnow.params.view import UndeclaredParameterError, View

SECTIONS = SimpleNamespace(
    early=Early(cohorts={"a": [1, 2], "ab": [3]}, network=Network(), training=Training(), epochs=[0, 2], features=[]),
    select=Select(methods=["random"], keep=[0.3], epoch=2, seed=0),
)


def test_a_declared_key_is_read():
    view = View(SECTIONS, ["select.keep", "early.training.length"])
    assert view.select.keep == [0.3]
    assert view.early.training.length == "20 epochs"


def test_a_declared_section_is_read_with_all_below_it():
    early = View(SECTIONS, ["early"]).early
    assert early is SECTIONS.early
    assert View(SECTIONS, ["early.training"]).early.training.augment.crop == 0


def test_a_key_of_a_map_is_read_by_its_name():
    cohorts = View(SECTIONS, ["early.cohorts.a"]).early.cohorts
    assert cohorts["a"].seeds == [1, 2]
    with pytest.raises(UndeclaredParameterError, match=r"early\.cohorts\.ab is read"):
        cohorts["ab"]  # though its name starts as that of the declared one


@pytest.mark.parametrize(
    ("declared", "read", "path"),
    [
        (["select.keep"], lambda view: view.select.methods, "select.methods"),
        (["select.keep"], lambda view: view.early, "early"),
        (["early.training.length"], lambda view: view.early.network, "early.network"),
        (["early.training.length"], lambda view: view.early.training.decay, "early.training.decay"),
        ([], lambda view: view.select, "select"),
    ],
)
def test_any_other_key_is_not(declared, read, path):
    with pytest.raises(UndeclaredParameterError, match=f"^{path} is read, but dvc.yaml declares only"):
        read(View(SECTIONS, declared))


def test_a_section_of_which_a_part_is_declared_does_not_give_itself_away():
    part = View(SECTIONS, ["early.training.length"]).early.training
    assert isinstance(part, View)
    with pytest.raises((UndeclaredParameterError, AttributeError)):
        part.model_dump()
