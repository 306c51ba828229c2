from pathlib import Path

import pytest


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test runs in a folder of its own, and DVC keeps nothing in the user's home."""
    monkeypatch.chdir(tmp_path)
    for name in ("SITE_CACHE", "GLOBAL_CONFIG", "SYSTEM_CONFIG"):
        monkeypatch.setenv(f"DVC_{name}_DIR", str(tmp_path.with_name(f"{tmp_path.name}-{name}")))
