"""Which code a stage runs, by what it means."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.code import imported_files, meaning

CODE = '''
"""About the module."""
import os

VALUES = {"a": 1, "b": [2.5, None]}


class Kind:
    """About the class."""

    size: int = 3

    async def later(self):
        """About the method."""
        return f"{self.size!r:>10}"


def pick(rows, *, first=True):
    """About the function."""
    chosen = [row for row in rows if row not in (0, None)]
    return chosen[0] if first else chosen
'''


@pytest.fixture
def hashed(tmp_path: Path):
    count = 0

    def of(text: str) -> str:
        nonlocal count
        count += 1  # a file's hash is kept by its name
        path = tmp_path / f"{count}.py"
        path.write_text(text)
        return meaning(path)

    return of


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""About the module."""', '"""In other\nwords."""'),
        ('"""About the module."""\n', ""),
        ('    """About the class."""\n', ""),
        ('        """About the method."""\n', "        # a remark\n"),
        ('    """About the function."""\n', "    '''About it.'''\n"),
        ("import os\n", "import os  # for nothing\n"),
        ('{"a": 1, "b": [2.5, None]}', "{\n    'a': 1,\n    'b': [2.50, None],\n}"),
        ("chosen[0] if first else chosen", "(chosen[0]\n        if first else (chosen))"),
    ],
)
def test_prose_and_layout_are_not_part_of_what_code_means(hashed, old, new):
    assert old in CODE
    assert hashed(CODE.replace(old, new)) == hashed(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("chosen", "found"),  # a local variable
        ("import os\n", ""),
        ("2.5", "2"),
        ("1,", "True,"),
        ("1,", '"1",'),
        ("1,", "1.0,"),
        ("None]", "...]"),
        ("None]", '"None"]'),
        ("first=True", "first=False"),
        (", *, first", ", first"),
        ("async def", "def"),
        ("size: int", "size: float"),
        ("!r", "!s"),
        (":>10", ":<10"),
        ("not in", "in"),
        ("(0, None)", "[0, None]"),
        ("VALUES =", '"""A text that is no docstring."""\nVALUES ='),
        ("def pick", "@os.cache\ndef pick"),
    ],
)
def test_all_else_is(hashed, old, new):
    assert old in CODE
    assert hashed(CODE.replace(old, new)) != hashed(CODE)


@given(values=st.lists(st.one_of(st.integers(), st.floats(allow_nan=False), st.text(), st.none()), max_size=5))
def test_two_constants_are_told_apart(values, tmp_path_factory):
    folder = tmp_path_factory.mktemp("constants")
    others = [*values, 0]
    for name, content in (("one", values), ("same", values), ("other", others)):
        (folder / f"{name}.py").write_text(f"x = {content!r}\n", encoding="utf-8")
    assert meaning(folder / "one.py") == meaning(folder / "same.py") != meaning(folder / "other.py")


def test_every_version_of_python_finds_the_same():
    """Two colleagues may have different ones: the hash is spelled out here."""
    assert (
        meaning(Path(__file__).parent / "fixed_code.py")
        == "a23d6fba6d5946ead71f6d8bc7e6d0f5e267387a728a8fb534c0bb49a60581a0"
    )


def test_a_list_holds_what_is_imported_anywhere_in_the_file(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    files = {path.as_posix() for path in imported_files("download")}
    assert {"stages/download.py", "stages/_stage.py", "src/winnow/datasets/build.py"} <= files
    assert "src/winnow/datasets/digits.py" in files  # named in a registry
    assert "src/winnow/training/loop.py" not in files
    assert "src/winnow/scores/el2n.py" in {path.as_posix() for path in imported_files("score")}
