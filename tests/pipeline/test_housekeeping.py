"""What dvc gc removes, and what it must leave."""

from pathlib import Path

import pytest

from tests.pipeline.clone import Clone

pytestmark = pytest.mark.pipeline


def sizes(clone: Clone) -> dict[str, int]:
    """Files in the cache, by the row's name."""
    rows = clone.do("python", "-m", "winnow.repro.sizes").splitlines()[1:]
    return {name: int(files) for name, files, _ in (row.rsplit(maxsplit=2) for row in rows)}


def run(clone: Clone, seed: int) -> list[str]:
    clone.set("select.seed", seed)
    return clone.make("select")


def test_branches_and_tags_keep_what_they_need_here_and_on_the_remote(clone: Clone, tmp_path: Path) -> None:
    clone.do("git", "branch", "--move", "main")
    clone.do("dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    clone.commit()
    whole = sizes(clone)
    assert whole["of other branches, or of none"] == 0
    clone.do("git", "switch", "--quiet", "--create", "other")
    subsets = {"main": clone.files("data/select")}
    assert run(clone, 1) == ["select"]
    subsets["other"] = clone.files("data/select")
    clone.commit()
    assert run(clone, 2) == ["select"]
    subsets["paper"] = clone.files("data/select")
    clone.commit()
    clone.do("git", "tag", "paper")
    clone.do("git", "reset", "--quiet", "--hard", "HEAD~1")
    assert run(clone, 3) == ["select"]  # of no commit
    clone.do("git", "checkout", "--quiet", ".")
    clone.do("dvc", "push", "--all-branches", "--all-tags")
    clone.do("git", "switch", "--quiet", "main")
    clone.do("dvc", "checkout", "--quiet")
    assert sizes(clone)["all of these"] == whole["all of these"]

    clone.do("dvc", "gc", "--force", "--all-branches", "--all-tags", "--all-experiments")
    for name, content in subsets.items():
        clone.do("git", "switch", "--quiet", "--detach", name)
        clone.do("dvc", "checkout", "--quiet")  # of everything, not of select alone
        assert clone.files("data/select") == content
    assert run(clone, 3) == ["select"]  # the run cache remembers it, but its files are gone
    clone.do("git", "checkout", "--quiet", ".")

    clone.do("git", "switch", "--quiet", "main")
    clone.do("git", "clone", "--quiet", ".", str(tmp_path / "colleague"))
    colleague = Clone(tmp_path / "colleague", clone.outside)
    colleague.do("dvc", "gc", "--force", "--all-commits", "--cloud")  # it has no branch other of its own
    for name in ("origin/other", "paper"):
        colleague.do("git", "switch", "--quiet", "--detach", name)
        colleague.do("dvc", "pull", "data/select")
        assert colleague.files("data/select") == subsets[name.removeprefix("origin/")]
