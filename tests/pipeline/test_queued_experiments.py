"""DVC's experiments: a queue, several workers in copies of the project, and the way back to a result."""

import json
from typing import Any

import pytest

from tests.pipeline.clone import Clone, ran
from winnow.storage import load_provenance

pytestmark = pytest.mark.pipeline


def experiments(clone: Clone) -> dict[str, Any]:
    """The name of every experiment, by its select.seed."""
    shown = json.loads(clone.do("dvc", "exp", "show", "--json"))
    found = [revision["revs"][0] for commit in shown for revision in commit["experiments"] or []]
    return {own["data"]["params"]["params.yaml"]["data"]["select"]["seed"]: own["name"] for own in found}


def test_workers_share_the_cache_and_run_only_what_is_new(clone: Clone) -> None:
    clone.do("dvc", "exp", "run", "--queue", "--set-param", "select.seed=1,2", "select")
    clone.do("dvc", "exp", "run", "--run-all", "--jobs", "2", WINNOW_WORKERS="1")
    names = experiments(clone)
    assert set(names) == {1, 2}
    for name in names.values():
        assert ran(clone.do("dvc", "queue", "logs", name)) == ["select"]
    assert clone.do("git", "status", "--porcelain") == ""  # they ran elsewhere

    wide = ["dvc", "exp", "show", "--no-pager", "--drop", ".*", "--keep", "Experiment|^(full|el2n|random)$|select.seed"]
    table = clone.do(*wide, COLUMNS="120")
    assert "…" not in table
    assert all(name in table for name in names.values())

    clone.do("dvc", "exp", "branch", names[1], "first")
    clone.do("dvc", "exp", "apply", names[2])
    assert load_provenance(clone.path("data/select/random-0.5.parquet"))["seed"] == 2
    clone.do("git", "checkout", "--quiet", ".")
    clone.do("git", "switch", "--quiet", "first")
    clone.do("dvc", "checkout", "--quiet")
    assert load_provenance(clone.path("data/select/random-0.5.parquet"))["seed"] == 1
    assert clone.repro("select") == []
