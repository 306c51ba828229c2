"""People who share a cache through a real server train nothing twice, whatever goes wrong on the way."""

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clone import ROOT, Clone, write_yaml
from servers import Server, free_port

from winnow.cli.remote import MEANINGS, default_remote

pytestmark = pytest.mark.pipeline

TRAINS = ("early", "transfer", "retrain", "dense", "rewind", "prune", "spawn", "perturbation")
FILES = 200  # that a stage of the small project writes
SMALL = {
    "stages": {
        "train": {
            "foreach": "${keep}",
            "do": {
                "cmd": f"mkdir -p data/${{item}} && cd data/${{item}} && for i in $(seq {FILES}); do "
                "seq $i 2000 > $i; echo ${item} >> $i; done",
                "outs": ["data/${item}"],
            },
        }
    }
}


@pytest.fixture(params=["ssh", "s3"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Server:
    return request.getfixturevalue(request.param).below(tmp_path.name)


@pytest.fixture
def small(tmp_path: Path) -> Clone:
    """A project of one stage that has run at two fractions."""
    project = Clone(tmp_path / "small", tmp_path / "outside")
    project.folder.mkdir()
    project.do("git", "init", "--quiet")
    project.do("dvc", "init", "--quiet")
    write_yaml(project.path("dvc.yaml"), SMALL)
    write_yaml(project.path("params.yaml"), {"keep": [0.5, 0.2]})
    assert len(project.repro()) == 2
    project.commit()
    return project


def colleague(of: Clone, server: Server, folder: Path) -> Clone:
    """A clone on another machine: only what is in git, and the colleague's own credentials."""
    of.do("git", "clone", "--quiet", ".", str(folder))
    other = Clone(folder, folder.with_name(f"{folder.name}-outside"))
    server.admit(other)
    return other


def trained(ran: list[str]) -> set[str]:
    return {stage for stage in ran if stage.split("@")[0] in TRAINS}


def state(project: Clone) -> tuple[dict[str, bytes], str]:
    """All that a user sees of a clone: its files, but for DVC's own below .dvc, and what git says."""
    names = [path.name for path in project.folder.iterdir() if path.name not in (".git", ".dvc")]
    return project.files(*names), project.do("git", "status", "--porcelain")


def assert_whole(server: Server) -> None:
    objects = server.objects()
    assert objects
    assert [name for name, content in objects.items() if hashlib.md5(content).hexdigest() != name[:32]] == []


def start(project: Clone, *command: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_what_one_has_trained_the_other_pulls(clone: Clone, server: Server, tmp_path: Path) -> None:
    server.serve(clone)
    clone.commit()
    clone.do("dvc", "push", "--run-cache", **server.environment)
    assert_whole(server)

    other = colleague(clone, server, tmp_path / "colleague")
    other.do("dvc", "pull", **server.environment)
    assert other.repro() == []
    assert other.files("data", "plots", "metrics") == clone.files("data", "plots", "metrics")
    assert other.do("git", "status", "--porcelain") == ""

    other.do("git", "checkout", "--quiet", "-b", "fraction")
    other.set("select.keep", [0.5, 0.3])
    assert trained(other.repro("compare")) == {"retrain@el2n-0.3", "retrain@random-0.3"}
    other.commit()
    other.do("dvc", "push", "--run-cache", **server.environment)

    clone.do("git", "pull", "--quiet", str(other.folder), "fraction")
    clone.do("dvc", "pull", "--run-cache", "compare", "--with-deps", **server.environment)
    assert clone.repro("compare") == []
    assert clone.files("data/retrain", "metrics") == other.files("data/retrain", "metrics")


def test_two_may_push_at_the_same_time(small: Clone, server: Server, tmp_path: Path) -> None:
    server.serve(small)
    small.commit()
    people = [colleague(small, server, tmp_path / name) for name in ("a", "b")]
    for keep, person in zip((0.3, 0.4), people, strict=True):
        person.set("keep", [0.5, keep])  # one of the two is common
        person.repro()
        person.commit()
    pushes = [start(person, "dvc", "push", "--run-cache", **server.environment) for person in people]
    for push in pushes:
        printed, _ = push.communicate()
        assert push.returncode == 0, printed
    assert_whole(server)
    for person in people:
        third = colleague(person, server, tmp_path / f"after-{person.folder.name}")
        third.do("dvc", "pull", **server.environment)
        assert third.repro() == []
        assert third.files("data") == person.files("data")


def test_a_killed_push_is_completed_by_the_next(small: Clone, server: Server, tmp_path: Path) -> None:
    server.serve(small)
    small.commit()
    push = start(small, "dvc", "push", "--jobs", "1", **server.environment)
    end = time.monotonic() + 60
    while not server.objects() and time.monotonic() < end:
        time.sleep(0.001)
    os.killpg(push.pid, signal.SIGKILL)
    push.communicate()
    assert 0 < len(server.objects()) < 2 * FILES
    small.do("dvc", "push", **server.environment)
    assert_whole(server)
    other = colleague(small, server, tmp_path / "colleague")
    other.do("dvc", "pull", **server.environment)
    assert other.repro() == []
    assert other.files("data") == small.files("data")


def modify(name: str, value: str) -> Callable[[Clone, Server], dict[str, str]]:
    def spoil(project: Clone, server: Server) -> dict[str, str]:
        text = value.format(port=free_port(), stranger=server.options.get("keyfile", "").replace("user", "stranger"))
        project.do("dvc", "remote", "modify", "--local", "team", name, text)
        return server.environment

    return spoil


# what is spoilt, and what DVC says then; docs/team.md has each
FAULTS = {
    "ssh: no server": ("ssh", modify("url", "ssh://127.0.0.1:{port}/x"), "Connect call failed"),
    "ssh: no host": ("ssh", modify("url", "ssh://nobody.invalid/x"), "Name or service not known"),
    "ssh: another's key": ("ssh", modify("keyfile", "{stranger}"), "Permission denied for user"),
    "s3: no server": ("s3", modify("endpointurl", "http://127.0.0.1:{port}"), "Could not connect to the endpoint URL"),
    "s3: no bucket": ("s3", modify("url", "s3://no-such-bucket/x"), "bucket does not exist"),
    "s3: another's key": (
        "s3",
        lambda _, server: {**server.environment, "AWS_ACCESS_KEY_ID": "STRANGER"},
        "Forbidden",
    ),
    "s3: no key": ("s3", lambda *_: {"AWS_EC2_METADATA_DISABLED": "true"}, "Unable to locate credentials"),
}
