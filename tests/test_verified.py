"""The page of what each method is tested against names every method, and only test files that there are."""

import re
from pathlib import Path

import pytest

from winnow import methods
from winnow.pruning.families import ALLOCATIONS, CRITERIA, DURING, STRUCTURES

TESTS = Path(__file__).parent
PAGE = TESTS.parent.joinpath("docs/verified.md").read_text(encoding="utf-8")
SCORES = [f"winnow.scores.{path.name}" for path in TESTS.parent.glob("src/winnow/scores/of_*")]
FAMILIES = [*SCORES, "winnow.selection.methods", "winnow.training.visits", CRITERIA, ALLOCATIONS, DURING, STRUCTURES]


@pytest.mark.parametrize("family", FAMILIES)
def test_it_names_every_method(family: str) -> None:
    named = {name for line in re.findall(r"^- (.*?) — ", PAGE, re.MULTILINE) for name in re.findall(r"\w+", line)}
    assert [name for name in methods.names(family) if name not in named] == []


def test_its_files_exist() -> None:
    files = [*re.findall(r"(\w+/[\w/]*test_\w+\.py)", PAGE)]
    assert len(files) > 100
    assert [
        file for file in files if not any((TESTS / part / file).exists() for part in ("", "pruning", "benchmarks"))
    ] == []
