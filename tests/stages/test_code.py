"""Which code a stage runs, by what it means."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.params.training import Network
from winnow.stages._code import _imported, _nodes, _tree, imported_files, meaning, own_files, shown

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
        == "a23d6fba6d5946ead71f6d8bc7e6d0f5e267387a728a8fb534c0bb49a60581a0"  # pragma: allowlist secret
    )


def test_a_list_holds_what_is_imported_anywhere_in_the_file():
    files = {shown(path).as_posix() for path in imported_files("winnow.stages.download")}
    assert {"winnow/stages/download.py", "winnow/stages/_stage.py", "winnow/datasets/build.py"} <= files
    assert "winnow/datasets/sources/digits.py" in files  # of a family that is named
    assert "winnow/training/loop.py" not in files


def test_the_assets_of_a_package_count_with_it():
    assets = {shown(path).as_posix() for path in imported_files("winnow.stages.report") if path.suffix != ".py"}
    assert assets == {f"winnow/page/assets/page.{ending}" for ending in ("css", "html.j2", "js")}
    assert not [path for path in imported_files("winnow.stages.figures") if path.suffix != ".py"]


def test_of_a_family_a_list_holds_the_methods_that_are_chosen_and_what_they_import():
    folder = "winnow/datasets/"
    every = {shown(path).as_posix() for path in imported_files("winnow.stages.download")}
    one = {
        shown(path).as_posix()
        for path in imported_files("winnow.stages.download", {"winnow.datasets.sources": ["digits"]})
    }
    assert every - one >= {f"{folder}sources/cifar10.py", f"{folder}torchvision_sets.py", f"{folder}sources/parquet.py"}
    assert one >= {f"{folder}sources/__init__.py", f"{folder}sources/digits.py", f"{folder}split.py"}
    allocations = {
        path.name for path in imported_files("winnow.stages.prune", {"winnow.pruning.allocations": ["global", "lamp"]})
    }
    assert {"global_.py", "lamp.py"} <= allocations
    assert "erk.py" not in allocations


# A user's own networks


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes files below a project's root."""
    monkeypatch.chdir(tmp_path)

    def write(**files: str) -> None:
        for name, text in {"networks/__init__.py": "", **files}.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for kept in (_imported, _nodes, _tree, meaning):  # by the file's name
            kept.cache_clear()

    return write


def files_of(module: str, **others: str) -> set[str]:
    network = Network.model_validate({"name": f"networks.{module}:build", **others})
    return {shown(path).as_posix() for path in own_files(network)} - {"networks/__init__.py"}


def test_an_own_network_is_its_module_and_what_that_imports(networks):
    networks(
        **{
            "networks/mine.py": "import torch\nfrom networks.blocks import Block\nfrom . import parts\n",
            "networks/blocks.py": "from .deep.down import x\n",
            "networks/parts.py": "from winnow.networks.small import convnet\n",
            "networks/deep/down.py": "import numpy\n",
            "networks/unused.py": "",
        }
    )
    own = {path for path in files_of("mine") if path.startswith("networks/")}
    assert own == {"networks/mine.py", "networks/blocks.py", "networks/parts.py", "networks/deep/down.py"}
    assert "winnow/networks/small.py" in files_of("mine")


def test_a_network_in_a_folder_of_its_own_is_all_that_lies_there(networks):
    networks(
        **{
            "networks/big/__init__.py": "from .model import build",
            "networks/big/model.py": "import json\nSIZES = json.load(open('networks/big/sizes.json'))\n",
            "networks/big/sizes.json": "[1, 2]",
            "networks/big/__pycache__/model.pyc": "compiled",
            "networks/other.py": "",
        }
    )
    assert files_of("big") == {"networks/big/__init__.py", "networks/big/model.py", "networks/big/sizes.json"}


def test_starting_weights_count_and_are_told_apart_by_their_bytes(networks):
    networks(**{"networks/mine.py": "", "networks/start.safetensors": "one"})
    assert files_of("mine", weights="networks/start.safetensors") == {"networks/mine.py", "networks/start.safetensors"}
    assert own_files(Network(weights="networks/start.safetensors")) == [Path("networks/start.safetensors")]
    before = meaning(Path("networks/start.safetensors"))
    networks(**{"networks/start.safetensors": "two"})
    assert meaning(Path("networks/start.safetensors")) != before


def test_our_own_networks_and_files_that_are_not_there_are_nothing(networks):
    networks()
    assert own_files(Network(name="convnet")) == []
    assert own_files(Network(name="convnet", weights="networks/start.safetensors")) == []
    assert files_of("mine") == set()


@pytest.mark.parametrize("line", ["import tools", "from tools import x", "from tools.a import x", "import stages.code"])
def test_what_dvc_would_not_watch_is_refused(networks, user_error, line):
    networks(**{"networks/mine.py": line, "tools/__init__.py": "", "tools/a.py": "", "stages/code.py": ""})
    Path("stages/__init__.py").write_text("")
    with user_error("networks/mine.py: imports", line.split()[1], "not in the folder networks"):
        files_of("mine")


def test_a_link_to_a_folder_is_refused(networks, user_error, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "model.py").write_text("")
    networks()
    Path("networks/linked").symlink_to(elsewhere)
    with user_error("networks/linked: a link to a folder"):
        files_of("linked.model")


def test_a_module_that_is_not_python_is_named(networks, user_error):
    networks(**{"networks/mine.py": "def build(:\n"})
    with user_error("networks/mine.py: not Python", "line 1"):
        files_of("mine")
