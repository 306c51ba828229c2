"""Seeds cut into parts: every epoch is done once, in order, in the least time, and how they are cut changes no byte."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import CLASSES, EPOCHS, NETWORK, TRAINING, contents, early, on_cpu, pictures

from winnow.training import loop
from winnow.training.early import train_early
from winnow.training.parts import Part, cut, train_seeds
from winnow.training.schedule import schedule

PLAN = schedule(TRAINING, 43)


def time_taken(parts: list[Part], processes: int) -> int:
    """In epochs, if each process takes the next part when it has nothing else to do, and waits where it must."""
    free, over = [0] * processes, {}
    for part in parts:
        process = free.index(min(free))
        begin = max(free[process], over.get((part.seeds, part.begin), 0))
        free[process] = over[part.seeds, part.end] = begin + part.end - part.begin
    return max(free)


def test_five_seeds_on_two_processes():
    parts = cut(dict.fromkeys([7, 8, 9, 5, 6], 0), epochs=4, processes=2)
    assert parts == [
        Part((9,), 0, 2),
        Part((7,), 0, 4),
        Part((8,), 0, 4),
        Part((5,), 0, 4),
        Part((6,), 0, 4),
        Part((9,), 2, 4),
    ]
    assert time_taken(parts, 2) == 10


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 30))
def test_seeds_with_as_much_to_do_are_done_in_the_shortest_time(seeds, epochs, processes):
    parts = cut(dict.fromkeys(range(seeds), 0), epochs, processes)
    assert time_taken(parts, processes) == max(epochs, math.ceil(seeds * epochs / processes))


@given(st.integers(0, 20).flatmap(lambda e: st.tuples(st.just(e), st.lists(st.integers(0, e)))), st.integers(1, 30))
def test_every_epoch_that_is_left_is_done_once_and_in_order(epochs_and_done, processes):
    epochs, done = epochs_and_done
    parts = cut(dict(enumerate(done)), epochs, processes)
    for seed, begun in enumerate(done):
        own = [part for part in parts if part.seeds == (seed,)]
        assert [own[0].begin, *(part.end for part in own)] == [begun, *(part.begin for part in own[1:]), epochs]
        assert len(own) <= 2
        assert len(own) == 1 or all(part.begin < part.end for part in own)
    assert len(parts) == len(done) or processes > 1


def train_all(seeds, folder, also=lambda part: None) -> None:
    images, validation = on_cpu(pictures()), on_cpu(pictures(7, seed=1))

    def work(part: Part, tick) -> None:
        also(part)
        train_early(
            seeds=part.seeds,
            images=images,
            validation=validation,
            classes=CLASSES,
            network=NETWORK,
            training=TRAINING,
            epochs=EPOCHS,
            folder=folder,
            tick=tick,
            end=part.end,
        )

    train_seeds(work, seeds, folder, PLAN, torch.device("cpu"), "test")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Three seeds, each trained in one piece."""
    folder = tmp_path_factory.mktemp("whole")
    for seed in (0, 1, 2):
        early(folder / f"seed{seed}", seed=seed)
    return contents(folder)


@pytest.mark.parametrize("processes", ["1", "2", "3"])
@pytest.mark.parametrize("seconds", [0, 1000])
def test_the_bytes_do_not_depend_on_the_cuts(whole, tmp_path, monkeypatch, processes, seconds):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", seconds)
    monkeypatch.setenv("WINNOW_WORKERS", processes)
    train_all([0, 1, 2], tmp_path)
    assert contents(tmp_path) == whole


@pytest.mark.parametrize("at", [1, 3, 4, 7])
def test_interrupted_anywhere(whole, tmp_path, monkeypatch, at):
    """With other numbers of processes before and after."""
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)
    saves = iter(range(1, 1000))
    save = loop.save

    def broken(run) -> None:
        if next(saves) == at:
            raise KeyboardInterrupt
        save(run)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "save", broken)
        patched.setenv("WINNOW_WORKERS", "1")
        with pytest.raises(KeyboardInterrupt):
            train_all([0, 1, 2], tmp_path)
    assert contents(tmp_path) != whole
    monkeypatch.setenv("WINNOW_WORKERS", "2")
    train_all([0, 1, 2], tmp_path)
    assert contents(tmp_path) == whole


def test_a_last_part_waits_for_the_first(whole, tmp_path, monkeypatch):
    monkeypatch.setenv("WINNOW_WORKERS", "3")
    monkeypatch.setattr("winnow.training.parts.cut", lambda *_: [Part((0,), 3, 5), Part((0,), 0, 2), Part((0,), 2, 3)])
    train_all([0], tmp_path)
    assert contents(tmp_path) == {name: content for name, content in whole.items() if name.startswith("seed0")}


def test_what_is_finished_is_not_begun_again(whole, tmp_path, monkeypatch):
    monkeypatch.setenv("WINNOW_WORKERS", "1")
    train_all([1], tmp_path)
    parts: list[Part] = []
    train_all([0, 1, 2], tmp_path, parts.append)
    assert parts == [Part((0,), 0, 5), Part((2,), 0, 5)]
    train_all([0, 1, 2], tmp_path, parts.append)
    assert len(parts) == 2
    assert contents(tmp_path) == whole


def test_as_one_computation_all_seeds_are_one_part(tmp_path, monkeypatch):
    monkeypatch.setenv("WINNOW_BATCHED", "1")
    monkeypatch.setenv("WINNOW_WORKERS", "2")
    parts: list[Part] = []
    train_all([0, 1, 2], tmp_path, parts.append)
    assert parts == [Part((0, 1, 2), 0, 5)]
    assert len(contents(tmp_path)) == 3 * 6
