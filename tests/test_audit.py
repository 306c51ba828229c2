"""What .ci/audit.py makes of what its tools find."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

PACKAGES = [
    {"name": "whole", "version": "1.0", "vulns": []},
    {"name": "mended", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1", "2.0"]}]},
    {"name": "open", "version": "3.0", "vulns": [{"id": "CVE-2", "fix_versions": []}]},
    {"name": "unknown", "skip_reason": "not found"},
]


@pytest.fixture
def audit() -> ModuleType:
    spec = spec_from_file_location("audit", Path(__file__).parents[1] / ".ci/audit.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_a_vulnerability_that_can_be_mended_is_an_error(audit, monkeypatch, capsys):
    monkeypatch.setattr(audit, "run", lambda *_: {"dependencies": PACKAGES})
    assert audit.vulnerabilities() == ["mended 1.0: CVE-1: mended in 1.1, 2.0 (make lock)"]
    printed = capsys.readouterr().out
    assert "open 3.0: CVE-2: no version mends it yet" in printed
    assert "1 of 4 packages could not be looked up, such as unknown" in printed


def test_a_secret_is_an_error_that_names_its_line(audit, monkeypatch):
    found = {"results": {"a.py": [{"line_number": 7, "type": "AWS Access Key"}]}}
    monkeypatch.setattr(audit, "run", lambda *_: found)
    assert audit.secrets() == ["a.py line 7: AWS Access Key"]


def test_without_a_network_it_says_so_and_goes_on(audit, monkeypatch, capsys, tmp_path):
    program = tmp_path / "uv"
    program.write_text("#!/bin/sh\necho 'no route to host' >&2\nexit 2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert audit.main() == 0
    assert capsys.readouterr().out.count("did not run, so nothing was looked up: no route to host") == 2
