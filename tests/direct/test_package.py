"""What ``import winnow`` gives: typed names, and nothing large until one of them is used."""

import subprocess
import sys
from pathlib import Path

import pytest

import winnow


def test_every_name_is_there_and_has_its_types():
    for name in winnow.__all__:
        assert getattr(winnow, name).__name__ == name
        assert "return" in getattr(winnow, name).__annotations__
        assert name in dir(winnow)
    with pytest.raises(AttributeError, match="no attribute 'scroe'"):
        winnow.scroe  # noqa: B018


def test_the_package_itself_imports_nothing_large():
    code = "import sys, winnow; sys.exit(bool(sys.modules.keys() & {'numpy', 'torch', 'pandas', 'pydantic'}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_checker_of_types_sees_through_the_package(tmp_path: Path):
    file = tmp_path / "user.py"
    file.write_text(
        "import winnow\nreveal_type(winnow.score)\nreveal_type(winnow.prune)\nwinnow.scroe\nwinnow.density(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", file], capture_output=True, text=True, check=False
    )
    revealed, pruned, typo, wrong = done.stdout.splitlines()[:4]
    assert "numpy.ndarray" in revealed
    assert "torch._tensor.Tensor]" in pruned.partition("->")[2]
    assert 'Module has no attribute "scroe"' in typo
    assert 'Argument 1 to "density" has incompatible type "int"' in wrong
