import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pipeline.clone import Clone, make
from tests.pipeline.servers import Server, s3_server, ssh_server


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder for what all processes of one run of the tests use."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def new(shared: Path) -> Clone:
    """A clone in which nothing has run. Tests change copies of it only."""
    clone = Clone(shared / "new", shared / "outside")
    made_once(clone, lambda: make(clone.folder, clone.outside))
    return clone


@pytest.fixture(scope="session")
def finished(new: Clone, shared: Path) -> Clone:
    """A clone whose pipeline has run and is committed. Tests change copies of it only."""
    clone = Clone(shared / "finished", new.outside)

    def run() -> None:
        new.copy(clone.folder)
        clone.make()
        clone.commit()

    made_once(clone, run)
    return clone


def made_once(clone: Clone, make: Callable[[], object]) -> None:
    """Make a clone, unless another process has made it; wait, if one does so just now."""
    clone.folder.parent.mkdir(parents=True, exist_ok=True)
    done = clone.folder.with_name(f"{clone.folder.name}.done")
    with done.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make()
            done.touch()


@pytest.fixture
def clone(finished: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished clone, to be changed."""
    return finished.copy(tmp_path / "clone")


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with ssh_server(tmp_path_factory.mktemp("ssh") / "server") as server:
        yield server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with s3_server(tmp_path_factory.mktemp("s3") / "server") as server:
        yield server
