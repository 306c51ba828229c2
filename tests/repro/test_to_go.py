"""The time that a run still takes, against times worked out by hand."""

from pathlib import Path
from typing import Any

import pytest

from winnow.cost.estimate import KEEPING, START, Known
from winnow.cost.measured import Measured
from winnow.cost.probe import Cost
from winnow.cost.sizes import Sizes
from winnow.cost.work import Unit, Work
from winnow.repro.books import Plan
from winnow.repro.outlook import Outlook
from winnow.repro.to_go import Progress, State, seconds_to_go

STEP = Unit("step", "net", "training")
WORK = Work(4, {STEP: 40.0})
LEVEL = Work(2, {STEP: 20.0})
RUN = Measured("retrain@a", "same", 1000, 64, 99.0, 40.0)  # ten seconds for each of the four networks


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def known(*runs: Measured, probed: bool = False) -> Known:
    work = {"retrain@a": WORK, "retrain@b": WORK, "prune@l1": LEVEL, "prune@l2": LEVEL}
    costs = {STEP: Cost(0.5, 0, 0)} if probed else {}
    return Known(
        work, lambda name: "same" if name in work else None, Sizes(1000, 0, 0, 10, (1, 8, 8)), costs, runs, processes=2
    )


def to_go(state: State, what: Known, **needs: list[str]) -> float | None:
    above = {name.replace("_", "@"): names for name, names in needs.items()}
    return seconds_to_go(state, what, above, cores=2, at_once=3)


def test_what_waits_is_put_on_the_cores():
    both = State(["retrain@a", "retrain@b"], {}, {}, 0)
    assert to_go(both, known(RUN)) == 40 + KEEPING
    assert to_go(both, known(RUN), retrain_b=["retrain@a"]) == 20 + KEEPING + 20 + KEEPING


def test_of_what_runs_only_the_rest_counts():
    half = {"retrain@a": Progress(12, 0.5, "retrain@a")}
    assert to_go(State([], half, {}, 12), known(RUN)) == 10 + KEEPING
    assert to_go(State([], {"retrain@a": Progress(12)}, {}, 12), known(RUN)) == 20 + KEEPING


def test_the_bar_of_one_phase_is_not_that_of_the_stage():
    seen = {"prune@l1": Progress(1, 0.9, "prune@l1, pruning")}
    assert to_go(State([], seen, {}, 1), known(probed=True)) == pytest.approx(START + 5 + KEEPING)


def test_a_stage_of_which_nothing_is_known_but_its_progress():
    seen = {"theirs": Progress(30, 0.25, "reading")}
    assert to_go(State([], seen, {}, 20), known()) == 90 + KEEPING
    beside = {**seen, "retrain@a": Progress(10, 0.5, "retrain@a")}  # each has one of the two cores
    assert to_go(State([], beside, {}, 20), known(RUN)) == 90 + KEEPING
    early = {"theirs": Progress(30, 0.01, "reading")}
    assert to_go(State([], early, {}, 20), known()) is None


def test_nothing_is_said_where_something_is_not_known():
    assert to_go(State(["retrain@a"], {}, {}, 0), known()) is None
    assert to_go(State(["retrain@a", "theirs"], {}, {}, 0), known(RUN)) is None


def test_a_probe_is_corrected_by_what_stages_of_the_kind_took_in_this_run():
    state = State(["prune@l2"], {}, {}, 0)
    assert to_go(state, known(probed=True)) == pytest.approx(START + 10 / 2 + KEEPING)
    twice = State(["prune@l2"], {}, {"prune@l1": 2 * (START + 10)}, 0)
    assert to_go(twice, known(probed=True)) == pytest.approx(2 * (START + 10 / 2) + KEEPING)


def test_a_busy_machine_makes_the_rest_as_slow_as_what_is_over():
    # 40 seconds of cores, which two free ones would have done in 20, took 100
    state = State(["retrain@b"], {}, {"retrain@a": 40.0}, 100.0)
    alone = 20 + KEEPING
    assert to_go(state, known(RUN)) == pytest.approx(alone * 100 / (40 + KEEPING - alone))
    soon = State(["retrain@b"], {}, {"retrain@a": 40.0}, 10.0)  # too early to tell
    assert to_go(soon, known(RUN)) == alone


class Stage:
    def __init__(self, name: str, always: bool = False) -> None:
        self.addressing, self.always_changed = name, always
        self.deps: list[Any] = []
        self.outs: list[Any] = []


def test_what_is_left_is_what_must_run_and_what_is_behind_it():
    check, early, score, dense, prune = (Stage(name) for name in ("check", "early@a", "score", "dense", "prune@l1"))
    check.always_changed = True
    needs = {check: [], early: [check], score: [early], dense: [check], prune: [dense, check]}
    outlook = Outlook(Plan([check, early, score, dense, prune], needs))
    waiting = [early, score, dense, prune]
    assert outlook.left(waiting, [], [check]) == []  # it always runs, and says nothing yet
    assert outlook.left([score, dense, prune], [], [early]) == [score]
    assert outlook.left(waiting[1:], [dense], [early]) == [score, dense, prune]
    outlook.comes_from_cache(early)
    assert outlook.left([score, dense, prune], [], []) == [score]


def test_the_status_counts_and_tells_the_time_if_it_is_known(monkeypatch):
    early, score = Stage("early@a"), Stage("score")
    outlook = Outlook(Plan([early, score], {early: [], score: [early]}))
    outlook.begins(early)
    monkeypatch.setattr(outlook, "known", lambda _again=(): known())
    text = outlook.words([score], [early], {}, 3, 2)
    assert text == "0 done, 1 running, 1 left"
    text = outlook.words([score], [early], {early: ("early@a", 1.0)}, 3, 2)
    assert text == "0 done, 1 running, 1 left, about 10 s to go"
    outlook.ends(early)
    assert outlook.words([score], [], {}, 3, 2).startswith("1 done, 0 running, 1 left")
