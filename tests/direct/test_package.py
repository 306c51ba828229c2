"""What ``import winnow`` gives: typed names, and nothing large until one of them is used."""

import ast
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


def test_a_checker_of_types_finds_each_name_where_it_is():
    """It reads what stands under TYPE_CHECKING; ``make lint`` has it check the examples by that."""
    tree = ast.parse(Path(winnow.__file__).read_text(encoding="utf-8"))
    typed = next(node for node in tree.body if isinstance(node, ast.If)).body
    found = {name.name: part.module for part in typed if isinstance(part, ast.ImportFrom) for name in part.names}
    assert found == {name: getattr(winnow, name).__module__ for name in winnow.__all__}
