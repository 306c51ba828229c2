"""The examples run, are short, use nothing but what the package exports, and what they print is true."""

import ast
import re
import runpy
from pathlib import Path

import pytest

import winnow

EXAMPLES = {path.stem: path for path in (Path(__file__).parents[2] / "examples").glob("*.py")}


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]):
    def run(name: str) -> str:
        runpy.run_path(str(EXAMPLES[name]), run_name="__main__")
        return capsys.readouterr().out

    return run


def percentages(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"([\d.]+)%", text)]


def test_there_are_four() -> None:
    assert sorted(EXAMPLES) == ["barrier", "pruning", "smaller_set", "wrong_labels"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_short_and_keeps_to_what_is_exported(name: str) -> None:
    text = EXAMPLES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    tree = ast.parse(text)
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not any(module and module.startswith("winnow") for module in imported)
    used = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "winnow"
    ]
    assert used
    assert set(used) <= set(winnow.__all__)


def test_most_wrong_labels_are_found(printed) -> None:
    """By chance 4 of the 89 would be."""
    found = re.search(r"Of the (\d+) wrong labels, (\d+) are among the (\d+) suspects", printed("wrong_labels"))
    assert found is not None
    wrong, right, listed = map(int, found.groups())
    assert wrong == listed == 89
    assert right > 60


def test_a_network_of_a_fraction_of_the_weights_does_nearly_as_well(printed) -> None:
    dense, *levels = printed("pruning").splitlines()
    error = percentages(dense)[0]
    densities, errors = zip(*map(percentages, levels), strict=True)
    assert densities == pytest.approx([50, 25, 12.5, 6.25], abs=0.1)
    assert error < 5
    assert max(errors) < error + 5


def test_networks_that_began_apart_have_a_barrier_and_those_that_parted_later_none(printed) -> None:
    apart, later, eigenvalues = printed("barrier").splitlines()
    assert percentages(apart)[0] > 10
    assert percentages(later)[0] < 2
    assert max(percentages(apart)[1:] + percentages(later)[1:]) < 5
    values = [float(value) for value in re.findall(r"[\d.]+", eigenvalues.partition(":")[2])]
    assert len(values) == 3
    assert values == sorted(values, reverse=True)


def test_the_harder_half_teaches_more_than_a_random_half(printed) -> None:
    lines = [line.split(":") for line in printed("smaller_set").splitlines()]
    assert [name for name, _ in lines] == ["all", "hardest", "random"]
    errors = [percentages(text)[0] for _, text in lines]
    assert errors[1] < errors[2]
    assert errors[1] < errors[0] + 2
