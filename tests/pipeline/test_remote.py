"""What one machine has computed, another one takes over through DVC's remote."""

import hashlib
from pathlib import Path

import pytest

from tests.pipeline.clone import Clone, read_yaml

pytestmark = pytest.mark.pipeline


SOME = ("retrain@el2n-0.5", "prune@l2", "curvature@l1")  # and all before them


@pytest.fixture
def pushed(clone: Clone, tmp_path: Path) -> Clone:
    clone.do("dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    clone.commit()
    clone.do("dvc", "push", "--run-cache")
    return clone


def colleague(pushed: Clone, tmp_path: Path) -> Clone:
    pushed.do("git", "clone", "--quiet", ".", str(tmp_path / "colleague"))
    return Clone(tmp_path / "colleague", pushed.outside)


def test_a_fresh_clone_pulls_everything_and_computes_nothing(pushed: Clone, tmp_path: Path) -> None:
    other = colleague(pushed, tmp_path)
    other.do("dvc", "pull")
    assert other.repro() == []
    assert other.files("data", "plots", "metrics") == pushed.files("data", "plots", "metrics")


def test_a_clone_that_has_lost_dvc_lock_trains_nothing(pushed: Clone, tmp_path: Path) -> None:
    """As on a branch where the lock file was not committed: DVC's run cache knows what was computed from what."""
    other = colleague(pushed, tmp_path)
    other.path("dvc.lock").unlink()
    other.do("dvc", "fetch", "--run-cache")
    ran = other.repro("--pull", *SOME)
    # DVC keeps no runs of stages that write files for git, which are quick
    assert set(ran) <= {"score"}
    outs = [out["path"] for stage in SOME for out in read_yaml(pushed.path("dvc.lock"))["stages"][stage]["outs"]]
    assert other.files(*outs) == pushed.files(*outs)


def test_a_flipped_bit_on_the_remote_is_named_and_computed_anew_and_nothing_trains_on_it(
    pushed: Clone, tmp_path: Path
) -> None:
    checked = pushed.run("winnow", "doctor", "--cache").stdout
    assert "wrong: remote team: dvc pull believes what it holds" in checked
    assert "damaged" not in checked  # every entry of the run cache fits its key
    other = colleague(pushed, tmp_path)
    pixels = pushed.path("data/images/train.safetensors").read_bytes()
    name = hashlib.md5(pixels, usedforsecurity=False).hexdigest()
    file = tmp_path / "remote/files/md5" / name[:2] / name[2:]
    file.chmod(0o644)
    file.write_bytes(pixels[:-1] + bytes([pixels[-1] ^ 1]))
    file.chmod(0o444)
    pulled = other.run("winnow", "pull")
    assert pulled.returncode == 1
    assert "damaged on the remote: data/images/train.safetensors" in pulled.stdout
    assert other.repro() == ["download"]  # all others have been pulled
    assert other.files("data", "plots", "metrics") == pushed.files("data", "plots", "metrics")
