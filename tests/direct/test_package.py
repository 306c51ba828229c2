"""What ``import winnow`` gives: typed names, and nothing large until one of them is used."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import winnow
from tests.direct.own import Own, data, loader


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


def test_what_the_readme_shows_runs(capsys: pytest.CaptureFixture[str]):
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Your own network and data, without the pipeline")[2]
    code = section.partition("```python")[2].partition("```")[0]
    network = Own()
    given = {"networks": [Own(1), Own(2)], "loader": loader(), "labels": data().tensors[1].numpy(), "network": network}
    given |= {"early_state": Own(3).state_dict(), "optimizer": torch.optim.SGD(network.parameters())}
    given |= {"state_a": Own(1).state_dict(), "state_b": Own(2).state_dict()}
    exec(code, given)
    assert capsys.readouterr().out.count("\n") == 1 + 23
    assert len(given["kept"].rows) == 12
    assert len(given["eigenvalues"]) == 5
    mentioned = set(re.findall(r"winnow\.(\w+)", section.partition("## Your own network in the pipeline")[0]))
    assert mentioned | {"load_subset", "load_ticket"} == set(winnow.__all__)
