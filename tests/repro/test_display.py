"""What make repro shows: in a terminal bars, elsewhere lines, and few of them."""

import sys
from pathlib import Path

import pytest

from winnow.repro import display as module
from winnow.repro.display import Display


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


def test_elsewhere_than_in_a_terminal_the_status_is_a_line_now_and_then(clock, capsys):
    begun, told = clock.now, []
    with Display(3) as display:
        while clock.now < begun + 4000:
            clock.now += 1
            if display.wants_status():
                told.append(clock.now - begun)
                display.status(f"{len(told)} done")
    assert told == [60, 180, 420, 900, 1500, 2100, 2700, 3300, 3900]
    assert capsys.readouterr().out == "".join(f"{number} done\n" for number in range(1, 10))


def test_in_a_terminal_the_status_stands_beside_the_bar_of_all_stages(clock, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    display = Display(3)  # not started: it would draw with the fake clock
    assert display.wants_status()
    display.status("1 done, 2 left")
    assert display._bars.tasks[0].fields["status"] == "1 done, 2 left"
    assert not display.wants_status()
    clock.now += module.SECONDS_BETWEEN_STATUS
    assert display.wants_status()
    display.status("2 done", seconds=1.0)  # finding it out took long: it is not asked for again soon
    clock.now += 19
    assert not display.wants_status()
    clock.now += 1
    assert display.wants_status()
    display.status("3 done", seconds=100.0)
    clock.now += module.LONGEST_PAUSE
    assert display.wants_status()
    assert capsys.readouterr().out == ""


def test_how_far_a_stage_is(tmp_path: Path):
    file = tmp_path / "early@a.progress"
    with Display(1) as display:
        display.starts("early@a")
        assert display.progress("early@a", file) is None
        file.write_text('{"label": "early@a", "done": 5, "total": 20, "unit": "step"}')
        assert display.progress("early@a", file) == ("early@a", 0.25)
        file.write_text('{"label": "early@a", "done": 0, "total": 0, "unit": "step"}')
        assert display.progress("early@a", file) is None
        file.write_text('{"label"')
        assert display.progress("early@a", file) is None
