"""Stages on a node that cannot see the project's folder, without a cluster: a desk in this process serves them."""

import hashlib
import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.repro.toy import wait
from winnow.repro import away
from winnow.repro.away import Desk, File, Freight, Trip
from winnow.repro.launch import Command, Launcher, Running
from winnow.repro.node import see

OUT = "data/out"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name, text in {"data/in/a": "a", "data/in/b": "bb", "params.yaml": "{}\n", "data/in/empty": ""}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    os.utime(folder / "data/in/a", ns=(10**18 + 1, 10**18 + 1))
    return folder


class Served(list[str]):
    """A desk, and which files it was asked for."""

    def __init__(self, project: Path) -> None:
        super().__init__()
        self.desk = Desk(str(project))

    def __call__(self, name: str, *given: object) -> object:
        if name == "read" and given[1] == 0:
            self.append(str(given[0]))
        return getattr(self.desk, name)(*given)


def file_of(path: Path, project: Path) -> File:
    about = path.stat()
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    return File(str(path.relative_to(project)), digest, about.st_size, about.st_mtime_ns)


def trip(project: Path, start: int = 1, stage: str = "s") -> Trip:
    paths = [path for path in sorted(project.rglob("*")) if path.is_file()]
    files = [path for path in paths if path.is_relative_to(project / ".winnow" / stage) or ".winnow" not in path.parts]
    sent = [file_of(path, project) for path in files]
    box = ".winnow/run"
    return Trip(Freight(stage, tuple(sent), (), (OUT,)), start, f"{box}/log", f"{box}/progress", f"{box}/away/{start}")


def run(own: Trip, desk: Served, folder: Path, command: str) -> int:
    launcher = Launcher()

    def start(where: Path, log: Path, more: Mapping[str, str]) -> Running:
        return launcher.start(Command(command, log, {**os.environ, **more}, where))

    return away.run(own, desk, folder, start)


def test_a_stage_may_be_slow_to_print(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has printed is looked for before it has made its log."""
    monkeypatch.setattr(away, "SEND_SECONDS", 0.0)
    looks = iter([None, None, 3])

    class Slow:
        def ended(self) -> int | None:
            return next(looks)

        def stop(self) -> None:
            raise AssertionError

    assert away.run(trip(project), Served(project), tmp_path / "node", lambda *_: Slow()) == 3


def test_inputs_come_once_and_outputs_go_back(project: Path, tmp_path: Path) -> None:
    desk = Served(project)
    times = "echo stage > .winnow/times.csv; echo s >> .winnow/times.csv"
    command = f"cat data/in/* > {OUT}; stat -c %.Y data/in/a; ls data/in; {times}"
    over = subprocess.Popen(["true"])
    over.wait()
    (tmp_path / "node/work" / f"{over.pid}.s").mkdir(parents=True)  # of a process that was killed
    for start in (1, 2):
        own = trip(project, start)
        assert run(own, desk, tmp_path / "node", command) == 0
        away.place(own, project)
        assert (project / OUT).read_text() == "abb"
        (project / OUT).unlink()
    assert (project / own.log).read_text() == "1000000000.000000001\na\nb\nempty\n"
    assert sorted(desk) == ["data/in/a", "data/in/b", "data/in/empty", "params.yaml"]
    assert (project / ".winnow/times.csv").read_text() == "stage\ns\ns\n"
    assert list((tmp_path / "node/work").iterdir()) == []


def test_folders_replace_what_was_there(project: Path, tmp_path: Path) -> None:
    (project / OUT).mkdir()
    (project / OUT / "old").touch()
    own = trip(project)
    command = f"rm -r {OUT}; mkdir -p {OUT}/deep; head -c 70000000 /dev/zero > {OUT}/deep/large; touch {OUT}/empty"
    assert run(own, Served(project), tmp_path / "node", command) == 0
    away.place(own, project)
    found = {str(path.relative_to(project / OUT)): path.stat().st_size for path in (project / OUT).rglob("*")}
    assert found.pop("deep")
    assert found == {"deep/large": 70_000_000, "empty": 0}


def test_a_stage_goes_on_elsewhere_from_what_it_had_saved(project: Path, tmp_path: Path) -> None:
    command = (
        f"cd .winnow/s; if [ -e h/one ]; then cat h/one > ../../{OUT}; rm -r h; else mkdir h; "
        "echo 1 > h/.one.unfinished; mv h/.one.unfinished h/one; echo 2 > h/.two.unfinished.csv; "
        "echo printed; kill -9 $$; fi"
    )
    desk = Served(project)
    assert run(trip(project, 1), desk, tmp_path / "node", command) == -9
    assert [path.name for path in (project / ".winnow/s/h").iterdir()] == ["one"]
    assert (project / ".winnow/run/log").read_text() == "printed\n"
    own = trip(project, 2)
    assert run(own, desk, tmp_path / "other", command) == 0
    away.place(own, project)
    assert (project / OUT).read_text() == "1\n"
    assert list((project / ".winnow/s").rglob("*")) == []


def test_a_node_that_was_given_up_changes_nothing(project: Path) -> None:
    desk = Desk(str(project))
    for start, text in ((2, b"new"), (1, b"old")):
        own = trip(project, start)
        desk.write(f"{own.arrivals}/work/state", 0, text)
        desk.keep_work(own, ["state"])
    assert (project / ".winnow/s/state").read_bytes() == b"new"


def test_what_is_sent_is_the_work_of_one_moment(project: Path, tmp_path: Path) -> None:
    """A writer replaces the file a, then b, then a, …; at every moment a is b, or one more."""
    node, own = tmp_path / "node", trip(project)
    work = node / ".winnow/s"
    work.mkdir(parents=True)
    log = node / "log"
    log.touch()
    sender = away._Sender(own, Served(project), node, log, node / "progress")
    over = threading.Event()

    def write() -> None:
        count = 0
        while not over.is_set():
            count += 1
            for name in ("a", "b"):
                (work / f".{name}.unfinished").write_text(str(count))
                (work / f".{name}.unfinished").replace(work / name)
                over.wait(0.005)

    writer = threading.Thread(target=write)
    writer.start()
    wait((work / "b").exists)
    seen = set()
    while len(seen) < 10:
        sender.send()
        found = {path.name: int(path.read_text()) for path in (project / ".winnow/s").glob("*")}
        if len(found) == 2:
            assert found["a"] - found["b"] in (0, 1)
            seen.add(found["a"])
    over.set()
    writer.join()


def test_a_file_that_has_changed_is_refused(project: Path, tmp_path: Path, user_error) -> None:
    own = trip(project)
    (project / "data/in/b").write_text("cc")
    with user_error("data/in/b", "has changed since the run began"):
        run(own, Served(project), tmp_path / "node", "true")
    ended = [path.name for path in (tmp_path / "node/files").iterdir() if not path.suffix]
    assert not any(name.startswith(hashlib.md5(b"cc").hexdigest()) for name in ended)
    assert not any(name.startswith(hashlib.md5(b"bb").hexdigest()) for name in ended)


@pytest.mark.parametrize("path", [".winnow/../params.yaml", "params.yaml", "/elsewhere"])
def test_a_node_writes_nowhere_else(project: Path, path: str) -> None:
    with pytest.raises(ValueError, match=r"not below \.winnow"):
        Desk(str(project)).write(path, 0, b"x")
    assert (project / "params.yaml").read_text() == "{}\n"


def test_a_node_waits_until_it_sees_the_files_of_the_head(project: Path, user_error) -> None:
    path = project / "data/in/a"
    file = file_of(path, project)
    see([file], project, 0)
    os.utime(path)
    see([file], project, 0)  # the same content
    path.write_text("c")
    with user_error("data/in/a: has changed since the stage was sent"):
        see([file], project, 0)
    path.unlink()
    threading.Timer(0.2, path.write_text, ["a"]).start()
    see([file], project, 60)
