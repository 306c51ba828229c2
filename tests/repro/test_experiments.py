"""What make experiments prints of what ``dvc exp show --json`` finds."""

from typing import Any

import pytest

from winnow.repro.experiments import MOST, in_words

SCREEN = 50  # lines


def state(name: str | None, params: dict[str, Any], **numbers: float) -> dict[str, Any]:
    files = {"params": {"params.yaml": {"data": params}}, "metrics": {"metrics/summary.json": {"data": numbers}}}
    return {"rev": "0123456789abcdef", "name": name, "data": {**files, "deps": {"data/images": {}}}}


def commits(*states: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**own, "experiments": None} for own in states]


def cells(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_numbers_and_the_parameters_that_differ():
    params = {"trainings": {"short": {"rate": 0.1, "crop": 1}}, "keep": [0.1, 0.5]}
    changed = {"trainings": {"short": {"rate": 0.2, "crop": 1}}, "keep": [0.1, 0.5], "new": None}
    found = in_words(commits(state("main", params, full=0.98, holds=3), state(None, changed, full=0.9)), 120)
    assert cells(found) == [
        ["main", "012345678"], ["full", "0.98", "0.9"], ["holds", "3", "-"], ["trainings.short.rate", "0.1", "0.2"],
    ]  # fmt: skip


def test_experiments_stand_beside_the_commit_that_they_began_at_and_failed_ones_nowhere():
    begun = [
        {"revs": [state("bold-ape", {"a": 2}), state("old", {"a": 9})]},
        {"revs": [{**state("x", {}), "data": None}]},
    ]
    found = in_words([{**state("main", {"a": 1}), "experiments": begun}], 120)
    assert cells(found) == [["main", "bold-ape"], ["a", "1", "2"]]


def tickets(levels: int, prune: float) -> dict[str, Any]:
    level = {"parent": "dense", "rewind": "dense", "prune": prune}
    return {
        "pruning": {"levels": {f"l{i}": level for i in range(levels)}, "floor": levels},
        "early": {"cohorts": {"a": [0, 1, 2], "b": list(range(levels))}, "epochs": [0, levels]},
        **{f"section{i}": {"key": [prune] * 40} for i in range(10)},
    }


def test_two_recipes_fit_on_a_screen():
    many, few = tickets(60, 0.2), tickets(3, 0.4)
    lines = in_words(commits(state("many", many, full=0.9), state("few", few, full=0.8)), 120).splitlines()
    assert len(lines) <= SCREEN
    assert max(map(len, lines)) <= 120
    rows = {line.split()[0]: line for line in lines[1:]}
    assert rows["pruning.levels"].startswith("pruning.levels (174)  l0, l1, l2,")  # 57 levels of 3 keys, and 3 prune
    assert rows["pruning.levels"].endswith("l0, l1, l2")
    assert rows["pruning.floor"].split()[1:] == ["60", "3"]
    assert rows["section3.key"].count("…") == 2
    assert len(rows) == 1 + 1 + 1 + 2 + 10


@pytest.mark.parametrize("sections", [1, 2, 40])
def test_other_maps_share_a_row_if_there_are_too_many(sections):
    one, other = ({f"s{i}": {f"k{j}": value for j in range(40)} for i in range(sections)} for value in (1, 2))
    lines = in_words(commits(state("one", one), state("other", other)), 120).splitlines()
    assert lines[1].split()[:2] == ["s0", "(40)"]
    assert len(lines) == 1 + sections  # of 40 sections each has one, more than MOST: there is nothing left to join
    assert MOST < 40


@pytest.mark.parametrize("count", [1, 2, 7, 23])
def test_many_experiments_stand_below_each_other_and_none_is_left_out(count):
    states = [state(f"e{i}", {"a": f"a value of many words, {i}"}, full=i / 100) for i in range(count)]
    found = in_words(commits(*states), 80)
    lines = found.splitlines()
    assert max(map(len, lines)) <= 80
    assert [word for line in lines if "e0" in line or line.startswith("    ") for word in line.split()] == [
        f"e{i}" for i in range(count)
    ]
