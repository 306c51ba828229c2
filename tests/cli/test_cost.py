"""winnow cost, in a small project: from params.yaml to the table, with a real probe."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.pipeline.clone import TINY
from winnow.cli.cost import Room, most_memory, size, table
from winnow.cli.init import init
from winnow.cli.main import main
from winnow.cost import measured
from winnow.cost.estimate import EARLIER, PROBED, Known
from winnow.cost.measured import Measured
from winnow.cost.probe import Cost
from winnow.cost.sizes import Sizes
from winnow.cost.work import Unit, Work
from winnow.params.base import read_yaml
from winnow.repro import books
from winnow.repro.to_go import like


@pytest.fixture
def project(outside: None) -> Path:
    init("mine")
    Path("mine/params.yaml").write_text(TINY)
    return Path("mine").absolute()


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["cost", *words]) == 0
    return capsys.readouterr().out


def rows(text: str) -> dict[str, list[str]]:
    """The cells of every line of the table, by its first."""
    lines = [re.split(r"  +", line) for line in text.splitlines()]
    return {cells[0]: cells[1:] for cells in lines if len(cells) > 3}


def test_a_new_project(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    subprocess.run(["git", "add", "--all"], check=True)
    before = sorted(path for path in project.rglob("*") if ".dvc" not in path.parts and ".git" not in path.parts)
    text = told(capsys)
    found = rows(text)
    # every stage of the tiny experiment: three cohorts and sources, three subsets, three levels, …
    assert found["early@…"][0] == "2"
    assert found["prune@…"][0] == "3"
    assert found["retrain@…"][0] == "2"
    assert found["retrain_full"][0] == "1"
    assert found["curvature@l1"][-1] == "probe"
    assert found["figures"][-1] == "usual"
    assert not any("not known" in cell for cells in found.values() for cell in cells)
    total = sum(int(cells[0]) for name, cells in found.items() if name not in ("stage", "all"))
    assert found["all"][0] == str(total)
    assert all(re.fullmatch(r"\d+ MiB|\d+\.\d GiB", found["early@…"][place]) for place in (3, 4))
    # nothing of the pipeline has run, and git sees nothing new
    after = sorted(path for path in project.rglob("*") if ".dvc" not in path.parts and ".git" not in path.parts)
    assert {path.relative_to(project).parts[0] for path in {*after} - {*before}} == {".winnow"}
    assert subprocess.run(["git", "diff", "--quiet"], check=False).returncode == 0
    assert PROBED.exists()

    # some stages alone, one of which was measured: what make repro keeps of it is what this looks for
    with books.opened() as repo:
        stage = next(one for one in books.plan(repo, []).steps if one.addressing == "early@b")
        measured.add(Measured("early@b", like(stage, read_yaml("params.yaml")), 270, 64, 99.0, 77.0))
    found = rows(told(capsys, "early@b"))
    assert set(found) == {"stage", "download", "labels", "early@b", "all"}
    assert (found["early@b"][1], found["early@b"][-1]) == ("1:17 min", EARLIER)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "batch_size: 30",
            "batch_size: 3000",
            "params.yaml: transfer@other: batch_size: 3000 is more than the 270 images",
        ),
        ("name: convnet, width: 4", "name: convnet, widht: 4", "params.yaml: networks.small.widht: no such key"),
        ("name: lenet_300_100", "name: 'torchvision:no_such'", "networks: torchvision:no_such: "),
        ("epochs: [0, 2, 6]", "epochs: [0, 2, 7]", "early.epochs ends at 7"),
    ],
)
def test_a_mistake_is_told_in_one_line(project, monkeypatch, capsys, old, new, said):
    assert old in TINY
    monkeypatch.chdir(project)
    Path("params.yaml").write_text(TINY.replace(old, new))
    assert main(["cost"]) == 1
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.startswith("error: ") and printed.err.count("\n") == 1, printed.err
    assert said in printed.err


def test_outside_of_a_project(outside, capsys):
    assert main(["cost"]) == 1
    assert capsys.readouterr().err.startswith("error: dvc.yaml: no such file")


def test_the_table_sums_and_schedules_by_hand():
    """Two stages of four networks of ten seconds on two cores, and a third behind one of them."""
    step = Unit("step", "net", "training")
    work = {"retrain@a": Work(4, {step: 40.0}), "retrain@b": Work(4, {step: 40.0}), "finish": Work(1, {step: 5.0})}
    runs = [Measured(name, "x", 10, 1, 0.0, one.units[step]) for name, one in work.items()]
    costs = {step: Cost(1.0, 2**20, 0)}
    known = Known(work, lambda _: "x", Sizes(10, 0, 0, 2, (1, 1, 1)), costs, runs, processes=2)
    lines = table(list(work), {"finish": ["retrain@b"]}, known, Room(2, 3, 100 * 2**20))
    cells = {line.split("  ")[0]: re.split(r"  +", line) for line in lines}
    assert cells["retrain@…"] == ["retrain@…", "2", "1:20 min", "40 s", "104 MiB", "1 MiB", EARLIER]
    assert cells["finish"] == ["finish", "1", "5 s", "6 s", "101 MiB", "1 MiB", EARLIER]
    # both at once, a network of each on a core: 40 s, then what is behind one of them
    assert cells["all"][:4] == ["all", "3", "1:25 min", "46 s"]


def test_the_most_memory_is_that_of_stages_at_the_same_time():
    spans = {"a": (0.0, 2.0), "b": (1.0, 3.0), "c": (2.0, 4.0)}
    assert most_memory(spans, {"a": 10.0, "b": 1.0, "c": 5.0}) == 11
    assert most_memory({}, {}) == 0
    assert (size(10), size(5 * 2**20), size(1.5 * 2**30)) == ("1 MiB", "5 MiB", "1.5 GiB")
