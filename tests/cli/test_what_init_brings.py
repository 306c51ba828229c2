"""What winnow init brings besides params: the templates of plots, and how git merges results."""

from pathlib import Path

import pytest

from winnow.cli.init import FILES, init
from winnow.params.base import read_yaml


def test_a_project_has_the_templates_that_its_dvc_yaml_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    init("mine")
    plots = [entry for entry in read_yaml("mine/dvc.yaml")["plots"] if isinstance(entry, dict)]
    named = {options["template"] for entry in plots for options in entry.values()} - {"scatter"}  # DVC's own
    assert {path.stem for path in Path("mine/.dvc/plots").iterdir()} == named
    assert all('"$schema"' in path.read_text() for path in Path("mine/.dvc/plots").iterdir())


def test_a_repository_keeps_its_own_attributes_and_gets_those_of_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    Path("mine").mkdir()
    Path("mine/.gitattributes").write_text("*.png binary\n")
    init("mine")
    ours = (FILES / "gitattributes").read_text()
    assert Path("mine/.gitattributes").read_text() == f"*.png binary\n{ours}"
