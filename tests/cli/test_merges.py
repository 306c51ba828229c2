"""How git merges the files of results, by the .gitattributes of a project."""

import shutil
import subprocess
from pathlib import Path

import pytest

from winnow.cli.init import FILES

LOCK = """stages:
  select:
    deps:
    - path: data/code/select.txt
      md5: {code}
      size: 5000
    - path: data/scores
      md5: 3
      size: 70000
    params:
      params.yaml:
        select.seed: {seed}
    outs:
    - path: data/select
      md5: {subsets}
"""


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "test")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "test@localhost")
    shutil.copyfile(FILES / "gitattributes", ".gitattributes")

    def git(*words: str) -> int:
        return subprocess.run(["git", *words], capture_output=True, check=False).returncode

    git("init", "--quiet", "--initial-branch", "main")
    return git


def commit(git, branch: str, name: str, content: str) -> None:
    git("switch", "--quiet", "--create", branch, "main")
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(content)
    git("add", "--all")
    assert git("commit", "--quiet", "--message", branch) == 0


@pytest.mark.parametrize("options", [(), ("-X", "theirs"), ("-X", "ours")])
def test_a_merge_makes_no_entry_of_dvc_lock_that_nobody_has_computed(git, options):
    """One branch changes the code of select, the other its params. The lines do not overlap, but together they say that
    the new code chose these subsets by the new seed."""
    commit(git, "main", "dvc.lock", LOCK.format(code=1, seed=0, subsets=1))
    sides = [LOCK.format(code=2, seed=0, subsets=1), LOCK.format(code=1, seed=1, subsets=2)]
    for branch, content in zip(("code", "seed"), sides, strict=True):
        commit(git, branch, "dvc.lock", content)
    conflict = git("merge", *options, "code")
    assert bool(conflict) == (not options)
    assert Path("dvc.lock").read_text() == sides[options != ("-X", "theirs")]


@pytest.mark.parametrize("name", ["metrics/summary.json", "plots/tickets/results.csv"])
def test_a_conflict_leaves_results_that_can_be_read(git, name):
    for branch, content in {"main": "1\n", "other": "2\n", "own": "3\n"}.items():
        commit(git, branch, name, content)
    assert git("merge", "other") == 1
    assert Path(name).read_text() == "3\n"
