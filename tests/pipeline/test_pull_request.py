"""What continuous integration does with a pull request, against a folder as the remote."""

from pathlib import Path

import pytest

from tests.pipeline.clone import Clone, read_yaml

pytestmark = pytest.mark.pipeline


def test_it_runs_and_keeps_what_is_new_and_comments_it(clone: Clone, tmp_path: Path) -> None:
    clone.do("git", "branch", "--move", "main")
    clone.do("dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    clone.commit()
    clone.do("dvc", "push")
    clone.do("git", "switch", "--quiet", "--create", "change")
    clone.set("select.keep", [0.5, 0.3])  # and nothing else: the author has no machine to train on
    clone.commit()
    clone.do("git", "clone", "--quiet", ".", str(tmp_path / "runner"))
    clone.do("git", "switch", "--quiet", "main")
    clone.set("figures.dpi", 61)  # what main has become meanwhile is no change of the branch
    clone.commit()

    runner = Clone(tmp_path / "runner", clone.outside)
    runner.do("git", "fetch", "--quiet", "origin")
    runner.do("python", "-m", "winnow.repro.pull_request", "origin/main")
    text = runner.path("report/pull_request.md").read_text()
    begun = runner.do("git", "rev-parse", "--short", "HEAD~1").strip()
    assert f"since {begun}\n" in text
    assert "| select.keep | [0.5] | [0.5, 0.3] |" in " ".join(text.split()).replace(" |", " |")
    assert "figures.dpi" not in text
    stages = {"select", "retrain@el2n-0.3", "retrain@random-0.3", "compare", "figures", "claims", "report"}
    assert set(text.split("**Stages that ran:** ")[1].split("\n")[0].replace("`", "").split(", ")) == stages
    assert "dvc repro --pull && git add" in text
    assert all(runner.path(f"report/{name}.html").exists() for name in ("index", f"compare-{begun}", "plots/index"))

    outs = [out for name in stages for out in read_yaml(runner.path("dvc.lock"))["stages"][name]["outs"]]
    remote = {path.parent.name + path.name for path in (tmp_path / "remote/files/md5").glob("*/*")}
    assert {out["md5"] for out in outs if out["path"].startswith("data/retrain")} <= remote
    assert any((tmp_path / "remote/runs").glob("*/*/*"))
