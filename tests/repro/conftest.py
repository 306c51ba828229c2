from pathlib import Path

import pytest

from tests.repro import pulled
from tests.repro import toy as toys
from tests.repro.pulled import Project
from tests.repro.toy import Toy, copy


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = pulled.make(tmp_path)
    for name in ("SITE_CACHE_DIR", "GLOBAL_CONFIG_DIR", "SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(f"DVC_{name}", str(tmp_path / "site" / name))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.chdir(made.folder)
    return made


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    return toys.make(tmp_path_factory.mktemp("toy") / "project")


@pytest.fixture(scope="module")
def by_dvc(empty: Toy) -> Toy:
    """A project that a plain dvc repro has run."""
    toy = copy(empty, empty.folder.with_name("by_dvc"))
    assert toy.run("dvc", "repro")[0] == 0
    return toy


@pytest.fixture
def toy(empty: Toy, tmp_path: Path) -> Toy:
    return copy(empty, tmp_path / "project")


@pytest.fixture
def finished(by_dvc: Toy, tmp_path: Path) -> Toy:
    return copy(by_dvc, tmp_path / "project")
