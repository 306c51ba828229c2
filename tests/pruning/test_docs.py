"""The page on pruning has every criterion, allocation, structure and way of pruning during training."""

from pathlib import Path

import pytest

from winnow import methods
from winnow.pruning.families import ALLOCATIONS, CRITERIA, DURING, STRUCTURES

PAGE = Path(__file__).parents[2].joinpath("docs/pruning.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("family", [CRITERIA, ALLOCATIONS, DURING, STRUCTURES])
def test_the_page_has_a_row_for_every_method(family):
    assert [name for name in methods.names(family) if f"| `{name}` |" not in PAGE] == []
