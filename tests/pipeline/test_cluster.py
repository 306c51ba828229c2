"""The tiny pipeline on the nodes of a real Ray cluster: the bytes are those of one machine."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.clone import Clone, made
from tests.repro.nodes import Nodes, can_hide, nodes

pytest.importorskip("ray", reason="Ray is not installed: pip install 'winnow[cluster]'")
pytestmark = pytest.mark.pipeline

RESULTS = ("data", "metrics", "plots", "report", "dvc.lock")


@pytest.fixture
def box() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ray") as folder:  # sockets need a short path
        yield Path(folder)


def run(clone: Clone, cluster: Nodes) -> str:
    return clone.do("python", "-m", "winnow.repro", WINNOW_CLUSTER=cluster.address)


def test_nodes_that_share_the_folder(new: Clone, finished: Clone, tmp_path: Path, box: Path) -> None:
    clone = new.copy(tmp_path / "clone")
    with nodes(box / "r") as cluster:
        cluster.add()
        cluster.add()
        printed = run(clone, cluster)
    assert "early@a" in made(printed)
    assert clone.files(*RESULTS) == finished.files(*RESULTS)


def test_nodes_that_do_not(new: Clone, finished: Clone, tmp_path: Path, box: Path) -> None:
    if not can_hide(tmp_path):
        pytest.skip("to hide the project from a node takes the right to mount")
    clone = new.copy(tmp_path / "clone")
    with nodes(box / "r") as cluster:
        cluster.add(cores=0)
        cluster.add(hidden=tmp_path)
        cluster.add(hidden=tmp_path)
        printed = run(clone, cluster)
    assert "early@a" in made(printed)
    assert clone.files(*RESULTS) == finished.files(*RESULTS)
