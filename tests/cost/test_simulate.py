"""The schedule of tasks on cores, against schedules made by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.cost.simulate import Task, simulate


def ends(spans: dict[str, tuple[float, float]]) -> dict[str, float]:
    return {name: end for name, (_, end) in spans.items()}


def test_pieces_share_the_cores():
    tasks = {"a": Task(0, [2, 2, 2])}
    assert ends(simulate(tasks, {}, 1, 1)) == {"a": 6}
    assert ends(simulate(tasks, {}, 2, 1)) == {"a": 4}
    assert ends(simulate(tasks, {}, 8, 1)) == {"a": 2}


def test_fewer_pieces_side_by_side_than_cores():
    assert ends(simulate({"a": Task(0, [2, 2, 2], most=2)}, {}, 8, 1)) == {"a": 4}
    assert ends(simulate({"a": Task(1, [2, 2, 2], most=1)}, {}, 8, 1)) == {"a": 7}


def test_what_a_task_does_alone_comes_before_its_pieces():
    assert ends(simulate({"a": Task(1, [2, 2])}, {}, 2, 1)) == {"a": 3}
    assert ends(simulate({"a": Task(5)}, {}, 2, 1)) == {"a": 5}
    assert ends(simulate({"a": Task()}, {}, 2, 1)) == {"a": 0}


def test_a_chain_and_a_task_beside_it():
    tasks = {"a": Task(3), "b": Task(2), "c": Task(4)}
    needs = {"b": ["a"], "c": []}
    assert simulate(tasks, needs, 2, 3) == {"a": (0, 3), "c": (0, 4), "b": (3, 5)}
    assert simulate(tasks, needs, 1, 1) == {"a": (0, 3), "b": (3, 5), "c": (5, 9)}
    # the longest chain is begun first, whatever the order of the tasks
    assert simulate({name: tasks[name] for name in "cba"}, needs, 1, 1)["a"] == (0, 3)


def test_a_core_goes_to_the_task_that_has_the_fewest():
    tasks = {"a": Task(0, [2, 2]), "b": Task(0, [2, 2])}
    assert ends(simulate(tasks, {}, 2, 2)) == {"a": 4, "b": 4}
    assert ends(simulate(tasks, {}, 2, 1)) == {"a": 2, "b": 4}
    assert ends(simulate(tasks, {}, 3, 2)) == {"a": 2, "b": 4}


def test_fewer_at_once_than_cores():
    tasks = {name: Task(1) for name in "abcd"}
    assert max(ends(simulate(tasks, {}, 4, 4)).values()) == 1
    assert max(ends(simulate(tasks, {}, 4, 2)).values()) == 2


def test_outputs_take_time_to_keep_without_a_core():
    tasks = {"a": Task(3), "b": Task(2), "c": Task(1)}
    found = simulate(tasks, {"b": ["a"]}, 1, 2, keeping=1)
    assert found["a"] == (0, 4)
    assert found["c"] == (0, 5)  # on the core from 3 to 4
    assert found["b"] == (4, 7)


def test_what_runs_already_goes_first_and_what_is_no_task_has_ended():
    tasks = {"a": Task(3), "b": Task(2)}
    assert simulate(tasks, {"b": ["x"]}, 1, 1, running=["b"]) == {"b": (0, 2), "a": (2, 5)}


def test_what_needs_itself_never_begins():
    assert simulate({"a": Task(1), "b": Task(1)}, {"b": ["b"]}, 1, 1) == {"a": (0, 1)}


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Task], dict[str, list[str]]]:
    names = [f"s{number}" for number in range(draw(st.integers(1, 8)))]
    seconds = st.integers(0, 9).map(float)
    tasks = {name: Task(draw(seconds), draw(st.lists(seconds, max_size=4))) for name in names}
    needs = {
        name: draw(st.lists(st.sampled_from(names[:place]), max_size=3)) if place else []
        for place, name in enumerate(names)
    }
    return tasks, needs


@given(graphs(), st.integers(1, 4), st.integers(1, 4))
def test_no_schedule_is_shorter_than_its_work_or_its_longest_chain(graph, cores, at_once):
    tasks, needs = graph
    spans = simulate(tasks, needs, cores, at_once)
    assert spans.keys() == tasks.keys()
    for name, above in needs.items():
        assert all(spans[one][1] <= spans[name][0] for one in above)
    total, end = sum(task.seconds for task in tasks.values()), max(end for _, end in spans.values())
    chain: dict[str, float] = {}
    for name, task in tasks.items():
        own = task.alone + max(task.pieces, default=0)
        chain[name] = own + max((chain[one] for one in needs[name]), default=0)
    assert end >= total / cores - 1e-9
    assert end >= max(chain.values()) - 1e-9
    assert end <= total + 1e-9  # some core is always at work
    free = simulate(tasks, needs, 1000, 1000)
    assert max(end for _, end in free.values()) == pytest.approx(max(chain.values()))
    alone = simulate(tasks, needs, 1, 1)
    assert max(end for _, end in alone.values()) == pytest.approx(total)
