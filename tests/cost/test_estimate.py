"""Estimates from earlier runs and from a probe whose costs are made up."""

from pathlib import Path

import pytest

from winnow.cost import measured
from winnow.cost.durations import about, duration
from winnow.cost.estimate import (
    EARLIER,
    FILE,
    LIGHT,
    PROBE,
    START,
    USUAL,
    Known,
    estimate,
    load_costs,
    save_costs,
    was_on_gpu,
)
from winnow.cost.measured import Measured, likeness
from winnow.cost.probe import Cost
from winnow.cost.sizes import Sizes
from winnow.cost.work import Unit, Work

SIZES = Sizes(1000, 100, 200, 10, (1, 8, 8))
STEP, PASS = Unit("step", "net", "training"), Unit("pass", "net")
COSTS = {STEP: Cost(0.5, 3 * 2**20, 1000), PASS: Cost(0.01, 2**20, 1000)}
WORK = Work(4, {STEP: 40.0, PASS: 100.0}, files=10, states={"net": 4}, bytes=500.0, memory=2.0**20)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def known(*runs: Measured, costs: dict[Unit, Cost] = COSTS, on_gpu: bool = False) -> Known:
    work = {"retrain@a": WORK, "retrain@b": WORK, "retrain@short": Work(4, {STEP: 4.0}), "early@a": WORK}
    likes = {name: name.partition("@")[0] for name in [*work, "score"]}
    return Known(work, likes.get, SIZES, costs, runs, on_gpu, processes=2)


def run(stage: str, processor: float, images: int = 1000, like: str = "retrain", pixels: int = 64) -> Measured:
    return Measured(stage, like, images, pixels, 99.0, processor)


def test_work_times_the_costs_of_its_units():
    found = estimate("retrain@a", known())
    assert found is not None and found.source == PROBE
    assert found.task.alone == START
    assert len(found.task.pieces) == 4
    assert sum(found.task.pieces) == pytest.approx(40 * 0.5 + 100 * 0.01 + 10 * FILE)
    assert found.memory == 2 * (3 + 1) * 2**20  # two processes side by side
    assert found.disk == 500 + 4 * 1000


def test_a_run_with_the_same_params_is_better_than_a_probe():
    found = estimate("retrain@a", known(run("retrain@a", 30.0), run("retrain@a", 40.0)))
    assert found is not None and found.source == EARLIER
    assert found.task.seconds == 40
    assert list(found.task.pieces) == [10] * 4
    assert found.memory == 2 * (3 + 1) * 2**20


def test_a_run_of_another_with_the_same_work_counts():
    assert estimate("retrain@b", known(run("retrain@a", 40.0))).source == EARLIER
    assert estimate("retrain@short", known(run("retrain@a", 40.0))).source == PROBE


@pytest.mark.parametrize(
    "other",
    [
        run("retrain@a", 40.0, like="other"),
        run("retrain@a", 40.0, images=2000),
        run("retrain@a", 40.0, pixels=784),
        run("early@a", 40.0, like="early"),
    ],
)
def test_a_run_of_something_else_does_not(other):
    assert estimate("retrain@a", known(other)).source == PROBE


def test_a_few_images_more_or_less_change_nothing():
    assert estimate("retrain@a", known(run("retrain@a", 40.0, images=1010))).source == EARLIER


def test_on_a_gpu_the_clock_counts():
    assert estimate("retrain@a", known(run("retrain@a", 40.0), on_gpu=True)).task.seconds == pytest.approx(99)


def test_without_a_probe_a_stage_of_the_kind_tells_by_its_steps():
    found = estimate("retrain@short", known(run("retrain@a", 40.0), costs={}))
    assert found is not None and found.source == EARLIER
    assert found.task.seconds == pytest.approx(40 * 4 / 40)
    assert estimate("retrain@short", known(run("retrain@a", 40.0, like="other"), costs={})) is None


def test_what_is_not_known_is_not_guessed():
    assert estimate("retrain@a", known(costs={PASS: COSTS[PASS]})) is None
    assert estimate("a_stage_of_the_users", known()) is None


def test_light_stages_take_what_they_took_or_the_usual():
    found = estimate("score", known())
    assert found is not None and (found.source, found.task.seconds) == (USUAL, LIGHT["score"])
    Path(".winnow").mkdir()
    measured.TIMES.write_text("stage,ended,seconds,processor_seconds\nscore,1,9,7\nscore,2,5,4\nbroken,1\n")
    found = estimate("score", known())
    assert found is not None and (found.source, found.task.seconds) == (EARLIER, 4)


def test_the_table_of_runs_comes_back_and_passes_over_what_is_damaged():
    runs = [run("retrain@a", 1.5), run("early@a", 2.5)]
    for one in runs:
        measured.add(one)
    assert measured.load() == runs
    with measured.MEASURED.open("a") as file:
        file.write("retrain@b,retr")
    assert measured.load() == runs


def test_what_a_time_depends_on(monkeypatch):
    code = "12ab  winnow/storage.py\n34cd  networks/mine.py\n"
    same = likeness({"a": 1, "b": [2]}, code)
    assert likeness({"b": [2], "a": 1}, code.replace("12ab", "ffff")) == same
    assert likeness({"a": 2, "b": [2]}, code) != same
    assert likeness({"a": 1, "b": [2]}, code.replace("34cd", "ffff")) != same
    monkeypatch.setenv("WINNOW_DEVICE", "cuda:1")
    assert likeness({"a": 1, "b": [2]}, code) != same


def test_costs_are_kept_for_images_of_the_same_shape():
    assert load_costs(SIZES) == {}
    save_costs(COSTS, SIZES, on_gpu=True)
    assert load_costs(SIZES) == COSTS
    assert was_on_gpu()
    assert load_costs(Sizes(5, 5, 5, 10, (3, 8, 8))) == {}
    Path(".winnow/probe.json").write_text("{")
    assert load_costs(SIZES) == {}


def test_times_in_words():
    assert [duration(seconds) for seconds in (0.2, 59.4, 60, 185, 3599.6, 7800)] == [
        "1 s", "59 s", "1:00 min", "3:05 min", "1:00 h", "2:10 h",
    ]  # fmt: skip
    assert [about(seconds) for seconds in (3, 42, 95, 240, 3650, 7900)] == [
        "10 s", "40 s", "2 min", "4 min", "1:00 h", "2:10 h",
    ]  # fmt: skip
