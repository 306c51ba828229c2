"""What a run would do, told without a run, in a small project of DVC."""

from pathlib import Path

import pytest

from tests.repro.toy import ALL, Toy
from winnow.repro import books
from winnow.repro.due import due


@pytest.fixture
def here(finished: Toy, monkeypatch: pytest.MonkeyPatch) -> Toy:
    monkeypatch.chdir(finished.folder)
    for name, value in finished.environment().items():
        if name.startswith("DVC_"):
            monkeypatch.setenv(name, value)
    return finished


def told(code: dict[str, str] | None = None) -> tuple[list[str], list[str], list[str]]:
    with books.opened() as repo, books.locked(repo):
        now = due(repo, books.plan(repo, []), code or {})
    return tuple(sorted(stage.addressing for stage in kind) for kind in (now.run, now.cached, now.same))


def test_a_change_runs_what_depends_on_it_and_nothing_is_written(here: Toy) -> None:
    before = here.books()
    assert told() == ([], [], ALL)
    here.path("params.yaml").write_text("left: 2\nitems: {x: 1, y: 1, z: 3}\n")
    assert told() == (["item@z", "last", "left"], [], ["apart", "first", "item@x", "item@y"])
    here.path("params.yaml").write_text("left: 1\nitems: {x: 1, y: 1}\n")
    here.path("data/first").unlink()
    # its output is in the cache, and the stages behind it see that it is the same
    assert told() == ([], ["first"], sorted(set(ALL) - {"first"}))
    here.path("in.txt").write_text("b\n")
    assert told() == (ALL, [], [])
    del before["data/first"]
    assert here.books() == before


def test_what_check_would_write_counts_in_place_of_what_lies_there(here: Toy) -> None:
    assert told({"in.txt": "a\n"}) == ([], [], ALL)
    assert told({"in.txt": "b\n"}) == (ALL, [], [])


def test_what_came_before_comes_from_the_cache(here: Toy) -> None:
    """DVC keeps no runs of stages that write for git."""
    here.path("params.yaml").write_text("left: 2\nitems: {x: 1, y: 1}\n")
    assert here.repro()[0] == 0
    assert (Path(".winnow") / "measured.csv").read_text().count("\nleft,") == 1
    here.path("params.yaml").write_text("left: 1\nitems: {x: 1, y: 1}\n")
    assert told() == (["last"], ["left"], ["apart", "first", "item@x", "item@y"])
