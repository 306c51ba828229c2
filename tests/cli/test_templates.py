"""The templates of plots in a project that winnow init makes."""

from pathlib import Path

import pytest

from winnow.cli.init import init
from winnow.params.base import read_yaml


def test_a_project_has_the_templates_that_its_dvc_yaml_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    init("mine")
    plots = [entry for entry in read_yaml("mine/dvc.yaml")["plots"] if isinstance(entry, dict)]
    named = {options["template"] for entry in plots for options in entry.values()} - {"scatter"}  # DVC's own
    assert {path.stem for path in Path("mine/.dvc/plots").iterdir()} == named
    assert all('"$schema"' in path.read_text() for path in Path("mine/.dvc/plots").iterdir())
