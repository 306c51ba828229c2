"""Two branches of git with different params: what DVC shows of them, and what a merge makes of their results."""

import json
from pathlib import Path

import pytest

from tests.pipeline.clone import Clone, ran

pytestmark = pytest.mark.pipeline

RESULTS = ("dvc.lock", "metrics", "plots")


def run(clone: Clone, name: str, **changes: object) -> set[str]:
    """Begin a branch, change params, run the stages up to claims, commit. Gives the subsets and levels trained on."""
    clone.do("git", "switch", "--quiet", "--create", name)
    for key, value in changes.items():
        clone.set(key, value)
    stages = clone.make("claims")
    clone.commit()
    return training(stages)


def training(stages: list[str]) -> set[str]:
    return {name for name in stages if name.startswith(("early", "retrain", "dense", "prune"))}


def fits(printed: str) -> list[list[str]]:
    """The words of every line, if nothing was left out to fit 120 columns."""
    assert "…" not in printed
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= 120
    return [line.split() for line in printed.splitlines()]


@pytest.fixture
def branches(clone: Clone, tmp_path: Path) -> Clone:
    """A colleague's clone on the branch other; the branch team/keep, and its results, are pushed."""
    clone.do("dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    clone.commit()
    clone.do("git", "clone", "--quiet", "--origin", "team", ".", str(tmp_path / "colleague"))
    clone.do("dvc", "push")
    colleague = Clone(tmp_path / "colleague", clone.outside)
    colleague.do("dvc", "pull")
    assert run(clone, "keep", **{"select.keep": [0.5, 0.3]}) == {"retrain@el2n-0.3", "retrain@random-0.3"}
    clone.do("dvc", "push", "--run-cache")
    other = {"select.methods": ["el2n", "random", "grand"], "pruning.levels.l2.prune": 0.5}
    assert run(colleague, "other", **other) == {"retrain@grand-0.5", "prune@l2"}
    colleague.do("git", "fetch", "--quiet", "team")
    return colleague


def test_one_screen_shows_how_branches_differ_and_one_command_resolves_their_merge(branches: Clone) -> None:
    sides = ("team/keep", "other")
    params = fits(branches.do("dvc", "params", "diff", *sides, COLUMNS="120"))
    assert ["params.yaml", "pruning.levels.l2.prune", "0.4", "0.5"] in params
    assert ["params.yaml", "select.keep", "[0.5,", "0.3]", "[0.5]"] in params
    assert len(params) == 4
    old, new = (json.loads(branches.do("git", "show", f"{side}:metrics/summary.json")) for side in sides)
    numbers = fits(branches.do("dvc", "metrics", "diff", *sides, COLUMNS="120"))
    assert {line[1] for line in numbers[1:]} == {key for key in new if new[key] != old[key]} >= {"density"}
    assert "failed" not in branches.do("dvc", "plots", "diff", *sides)
    page = branches.path("dvc_plots/index.html").read_text()
    assert all(f'"rev": "{side}"' in page for side in sides)
    sides_by_side = ["winnow.repro.experiments", "--rev", "other", "--rev", "team/keep", "--hide-workspace"]
    table = fits(branches.do("python", "-m", *sides_by_side, COLUMNS="120"))
    assert {"density", "select.keep", "pruning.levels.l2.prune"} <= {word for line in table for word in line}

    own = branches.path("dvc.lock").read_bytes()
    merged = branches.run("git", "merge", "team/keep").stdout
    assert "Merge conflict in dvc.lock" in merged
    assert branches.path("dvc.lock").read_bytes() == own  # and no marks of a conflict, which no dvc command reads
    assert not any(b"<<<<<<<" in content for content in branches.files("metrics", "plots").values())
    printed = branches.do("dvc", "repro", "--pull", "claims")
    assert set(ran(printed)) == {"select", "retrain@grand-0.3", "compare", "claims"}
    assert "Stage 'retrain@el2n-0.3' is cached" in printed  # by the other side
    branches.do("git", "add", *RESULTS)
    branches.do("git", "commit", "--quiet", "--no-edit")
    assert branches.do("git", "status", "--porcelain") == ""
