"""winnow doctor says what is wrong; winnow clean removes what killed processes left behind, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from winnow.cli.clean import clean
from winnow.cli.init import init
from winnow.cli.main import main

LEFT = [
    "data/scores/.scores.parquet.unfinished.parquet",
    "data/early/a/.seed0.tmp",
    "metrics/.summary.json.unfinished.json",
    ".params.yaml.unfinished.yaml",
    ".winnow/.run.unfinished.ab12/cores/0000",
    ".dvc/cache/.unfinished.ab12/entry",
    ".dvc/cache/files/md5/ab/cdef.xyz.tmp",
    ".dvc/cache/runs/ab/abcd/ef.tmp",
]
KEPT = ["data/scores/scores.parquet", "metrics/summary.json", ".dvc/cache/files/md5/ab/cdef", ".winnow/early@a/1/x"]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SITE_CACHE", "GLOBAL_CONFIG", "SYSTEM_CONFIG"):
        monkeypatch.setenv(f"DVC_{name}_DIR", str(tmp_path / name))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    init(str(tmp_path / "mine"))
    monkeypatch.chdir(tmp_path / "mine")


def write(*paths: str, text: str = "x") -> None:
    for name in paths:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def wrong(capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    status = main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    found = [line.removeprefix("wrong: ") for line in lines if line.startswith("wrong: ")]
    assert status == (1 if found else 0)
    assert any(line.startswith("torch ") for line in lines)
    return found


def test_nothing_is_wrong_with_a_new_project(capsys: pytest.CaptureFixture[str]) -> None:
    assert wrong(capsys) == []


def test_the_doctor_names_what_a_killed_dvc_left_and_clean_removes_it(capsys: pytest.CaptureFixture[str]) -> None:
    write(*LEFT, *KEPT)
    write(".winnow/early@a.lock", text="")
    write(".dvc/tmp/rwlock", text='{"data/x": {"wri')
    found = wrong(capsys)
    assert len(found) == 3
    assert all(text.endswith("(winnow clean)") for text in found)
    assert "rwlock: was left half-written" in found[0]
    assert "5 unfinished files in the project" in found[1]
    assert "3 unfinished files in the cache" in found[2]
    assert main(["clean"]) == 0
    assert [path for path in LEFT if Path(path).exists()] == []
    assert [path for path in KEPT if not Path(path).exists()] == []
    assert wrong(capsys) == []


def test_unfinished_work_goes_only_if_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    write(".winnow/early@a/1/x", ".winnow/logs/early@a.txt", ".winnow/early@a.lock")
    assert list(clean()) == []
    assert Path(".winnow/early@a/1/x").exists()
    assert main(["clean", "--scratch"]) == 0
    assert "the unfinished work of 1 stages" in capsys.readouterr().out
    assert not Path(".winnow/early@a").exists()
    assert Path(".winnow/logs/early@a.txt").exists()


def test_nothing_is_removed_while_a_command_is_at_work(capsys: pytest.CaptureFixture[str]) -> None:
    write(LEFT[0])
    with subprocess.Popen(["sleep", "100"]) as other:
        entry = {"data/scores": {"write": {"pid": other.pid, "cmd": "dvc repro"}}}
        write(".dvc/tmp/rwlock", text=json.dumps(entry))
        assert main(["clean"]) == 1
        assert f"process {other.pid} is at work here" in capsys.readouterr().err
        assert wrong(capsys) == []  # its files are no leftovers
        other.kill()
    assert Path(LEFT[0]).exists()
    assert main(["clean"]) == 0  # that process has ended
    assert not Path(LEFT[0]).exists()


def test_mistakes_and_an_old_pipeline_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("noise: 0.0", "noise: 2"))
    Path("dvc.yaml").write_text("stages: {}\n")
    found = wrong(capsys)
    assert len(found) == 2
    assert "winnow init --update" in found[0]
    assert "labels.noise" in found[1]
    monkeypatch.chdir(tmp_path)
    assert "dvc.yaml: no such file" in wrong(capsys)[0]
    assert main(["clean"]) == 1
    assert capsys.readouterr().err == "error: .dvc: no such folder: run this in the folder of a project\n"
