from pathlib import Path

import pytest
from clone import Clone, make


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outside")


@pytest.fixture(scope="session")
def new(tmp_path_factory: pytest.TempPathFactory, outside: Path) -> Clone:
    """A clone in which nothing has run. Tests change copies of it only."""
    return make(tmp_path_factory.mktemp("new"), outside)


@pytest.fixture(scope="session")
def finished(new: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone whose pipeline has run and is committed. Tests change copies of it only."""
    clone = new.copy(tmp_path_factory.mktemp("finished") / "clone")
    clone.make()
    clone.commit()
    return clone


@pytest.fixture
def clone(finished: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished clone, to be changed."""
    return finished.copy(tmp_path / "clone")
