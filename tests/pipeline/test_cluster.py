"""The tiny pipeline on the nodes of a real Ray cluster: the bytes are those of one machine."""

import tempfile
from pathlib import Path

import pytest

from tests.pipeline.clone import Clone, made
from tests.repro.nodes import can_hide, nodes

pytest.importorskip("ray", reason="Ray is not installed: pip install 'winnow[cluster]'")
pytestmark = pytest.mark.pipeline

RESULTS = ("data", "metrics", "plots", "report", "dvc.lock")


def test_the_bytes_are_those_of_one_machine(new: Clone, finished: Clone, tmp_path: Path) -> None:
    """One of the nodes sees the project's folder, the other does not, if it can be hidden from it."""
    clone = new.copy(tmp_path / "clone")
    with tempfile.TemporaryDirectory(prefix="ray") as folder, nodes(Path(folder, "r")) as cluster:  # a short path
        cluster.add()
        cluster.add(hidden=tmp_path if can_hide(tmp_path) else None)
        printed = clone.do("python", "-m", "winnow.repro", WINNOW_CLUSTER=cluster.address)
    assert "early@a" in made(printed)
    assert clone.files(*RESULTS) == finished.files(*RESULTS)
