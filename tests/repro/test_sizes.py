"""What make sizes prints of dvc.lock and a cache."""

import json
import subprocess
from pathlib import Path

import pytest

from winnow.repro.sizes import in_words

LOCK = {
    "early": [{"path": "data/early", "md5": "ab1.dir"}],
    "score": [{"path": "data/scores", "md5": "cd1"}, {"path": "plots/tickets", "md5": "ef1.dir"}],
    "select": [{"path": "data/select", "md5": "ab2"}],
    "report": [{"path": "report/index.html", "md5": "ab9.dir"}],
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("dvc.lock").write_text(json.dumps({"stages": {name: {"outs": outs} for name, outs in LOCK.items()}}))
    Path("plots/tickets").mkdir(parents=True)
    Path("plots/tickets/results.csv").touch()
    Path("images.dvc").write_text(json.dumps({"outs": [{"path": "images", "md5": "cd3"}]}))
    for command in (["init", "--quiet"], ["add", "plots", "images.dvc"]):
        subprocess.run(["git", *command], check=True)
    folder = json.dumps(
        [{"md5": "ab2", "relpath": "a"}, {"md5": "ab3", "relpath": "b"}, {"md5": "ab4", "relpath": "c"}]
    )
    half = 2**19
    for md5, content in {
        "ab1.dir": folder,
        "ab2": half,
        "ab3": 3 * half,
        "cd1": 2 * half,
        "cd2": half,
        "cd3": 8 * half,
    }.items():
        path = tmp_path / "cache/files/md5" / md5[:2] / md5[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else bytes(content))
    return tmp_path / "cache"


def test_files_and_sizes_of_every_stage_of_all_and_of_what_is_left(cache):
    lines = in_words(cache).splitlines()
    assert [line.rsplit(maxsplit=2) for line in lines[1:-1]] == [
        ["images.dvc", "1", "4.0"],
        ["early", "3", "2.0"],  # the list of its files, and two of the three
        ["score", "1", "1.0"],  # git has the table
        ["select", "1", "0.5"],
        ["report", "0", "0.0"],
        ["all of these", "5", "7.0"],  # select's file is one of early's
        ["of other branches, or of none", "1", "0.5"],
    ]
    assert lines[-1] == "2 files are not in the cache: dvc pull brings them"


def test_without_dvc_lock_it_says_so(user_error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with user_error("dvc.lock: no such file: no stage has run here yet"):
        in_words(Path("cache"))
