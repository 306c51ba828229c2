"""People who share a cache through a real server train nothing twice, whatever goes wrong on the way."""

import hashlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.clone import ROOT, Clone, write_yaml
from tests.pipeline.servers import Server, free_port, small_disk
from winnow.repro.remote import MEANINGS, default_remote

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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    folder = tmp_path_factory.mktemp("small")
    project = Clone(folder / "project", folder / "outside")
    project.folder.mkdir()
    project.do("git", "init", "--quiet")
    project.do("dvc", "init", "--quiet")
    write_yaml(project.path("dvc.yaml"), SMALL)
    write_yaml(project.path("params.yaml"), {"keep": [0.5, 0.2]})
    assert len(project.repro()) == 2
    project.commit()
    return project


@pytest.fixture
def small(made: Clone, tmp_path: Path) -> Clone:
    """A project of one stage that has run at two fractions."""
    return made.copy(tmp_path / "small")


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
    other.do("winnow", "pull", **server.environment)
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


def test_one_cache_with_links_serves_two_clones(clone: Clone, tmp_path: Path) -> None:
    clone.do("git", "clone", "--quiet", ".", str(tmp_path / "colleague"))
    other = Clone(tmp_path / "colleague", tmp_path / "outside")
    clone.do("mv", ".dvc/cache", str(tmp_path / "cache"))
    for one, link in ((clone, "hardlink"), (other, "symlink")):
        one.do("dvc", "cache", "dir", "--local", str(tmp_path / "cache"))
        one.do("dvc", "config", "--local", "cache.shared", "group")
        one.do("dvc", "config", "--local", "cache.type", link)
    clone.do("dvc", "checkout", "--relink")
    other.do("dvc", "checkout")
    assert other.make() == []

    other.set("aggregate.suspects", 9)
    assert other.make("score") == ["score"]
    assert other.path("data/scores/scores.parquet").is_symlink()
    other.commit()
    clone.do("git", "pull", "--quiet", str(other.folder))
    clone.do("dvc", "checkout")
    assert clone.make("score") == []
    assert clone.path("data/scores/scores.parquet").stat().st_nlink == 2
    assert clone.files("data/scores") == other.files("data/scores")


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
        third.do("winnow", "pull", **server.environment)
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
    server.forget_half_sent()
    small.do("dvc", "push", **server.environment)
    assert_whole(server)
    other = colleague(small, server, tmp_path / "colleague")
    other.do("winnow", "pull", **server.environment)
    assert other.repro() == []
    assert other.files("data") == small.files("data")


Spoil = Callable[[Clone, Server], dict[str, str]]


def setting(name: str, value: str) -> Spoil:
    """Spoil a setting of the remote. A Spoil gives the environment of the commands that follow."""

    def spoil(project: Clone, server: Server) -> dict[str, str]:
        text = value.format(port=free_port(), stranger=server.options.get("keyfile", "").replace("user", "stranger"))
        project.do("dvc", "remote", "modify", "--local", "team", name, text)
        return server.environment

    return spoil


def variables(**changes: str) -> Spoil:
    return lambda _, server: {**server.environment, **changes}


def moved(project: Clone, server: Server) -> dict[str, str]:
    """The team has moved from SSH to S3, and .dvc/config.local still names an SSH key."""
    config = project.path(".dvc/config")
    config.write_text(config.read_text().replace(server.url, "s3://team/x"))
    return server.environment


# what is spoilt, and what DVC says then
FAULTS = {
    "no ssh server": ("ssh", setting("url", "ssh://127.0.0.1:{port}/x"), "Connect call failed"),
    "no such host": ("ssh", setting("url", "ssh://nobody.invalid/x"), "Name or service not known"),
    "another's ssh key": ("ssh", setting("keyfile", "{stranger}"), "Permission denied for user"),
    "settings of another kind of remote": ("ssh", moved, "extra keys not allowed"),
    "no s3 server": ("s3", setting("endpointurl", "http://127.0.0.1:{port}"), "Could not connect to the endpoint URL"),
    "no bucket": ("s3", setting("url", "s3://no-such-bucket/x"), "bucket does not exist"),
    "another's s3 key": ("s3", variables(AWS_ACCESS_KEY_ID="STRANGER"), "Forbidden"),
    "no s3 key": (
        "s3",
        variables(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", AWS_EC2_METADATA_DISABLED="true"),
        "Unable to locate credentials",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_remote_that_fails_is_told_and_leaves_the_clone_as_it_was(
    small: Clone, tmp_path: Path, fault: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, spoil, says = FAULTS[fault]
    server = request.getfixturevalue(kind).below(tmp_path.name)
    server.serve(small)
    small.commit()
    environment = {**spoil(small, server), "AWS_MAX_ATTEMPTS": "1"}  # ten tries take half a minute
    before = state(small)
    push = small.run("dvc", "push", **environment)
    assert push.returncode != 0
    assert says in push.stdout
    assert state(small) == before
    small.do("rm", "-r", ".dvc/cache")
    pull = small.run("winnow", "pull", **environment)
    assert pull.returncode != 0
    assert pull.stdout.startswith("error: ")
    assert pull.stdout.count("\n") == 1
    assert MEANINGS[says] in pull.stdout or "nobody has pushed to it, or it is elsewhere" in pull.stdout
    assert state(small) == before

    for name, value in small.environment(**environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(small.folder)
    remote = default_remote()
    assert remote is not None
    assert remote.wrong
    assert "\n" not in remote.answer
    assert MEANINGS[says] in remote.answer


def test_pulling_from_a_remote_that_lacks_the_data_leaves_the_clone_as_it_was(
    small: Clone, server: Server, tmp_path: Path
) -> None:
    server.serve(small)
    small.commit()
    other = colleague(small, server, tmp_path / "colleague")
    before = state(other)
    for command, says in (
        ("dvc", "cache files do not exist neither locally nor on remote"),
        ("winnow", "the remote has no such folder: nobody has pushed to it, or it is elsewhere"),
    ):
        pull = other.run(command, "pull", **server.environment)
        assert pull.returncode != 0
        assert says in pull.stdout
        assert state(other) == before


def test_a_pull_onto_a_full_disk_is_told_and_goes_on_when_there_is_room(
    small: Clone, ssh: Server, tmp_path: Path
) -> None:
    server = ssh.below(tmp_path.name)
    server.serve(small)
    small.commit()
    small.do("dvc", "push", **server.environment)
    other = colleague(small, server, tmp_path / "colleague")
    disk = tmp_path / "disk"
    with small_disk(disk, 1):
        other.do("dvc", "cache", "dir", "--local", str(disk / "cache"))
        before = state(other)
        pull = other.run("winnow", "pull", **server.environment)
        assert pull.returncode != 0
        assert "No space left on device" in pull.stdout
        assert state(other) == before
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        other.do("winnow", "pull", **server.environment)
        assert other.files("data") == small.files("data")


def test_a_push_to_a_full_disk_is_told_and_completed_when_there_is_room(
    small: Clone, ssh: Server, tmp_path: Path
) -> None:
    """Over SSH alone: nobody fills a store in the cloud."""
    server = ssh.below(tmp_path.name)
    server.serve(small)
    small.commit()
    with small_disk(server.files, 1):
        before = state(small)
        push = small.run("dvc", "push", **server.environment)
        assert push.returncode != 0
        assert "failed to push data to the cloud" in push.stdout
        assert "Failure" in push.stdout
        assert state(small) == before
        subprocess.run(["mount", "-o", "remount,size=50m", str(server.files)], check=True)
        small.do("dvc", "push", **server.environment)
        assert_whole(server)
        other = colleague(small, server, tmp_path / "colleague")
        other.do("winnow", "pull", **server.environment)
        assert other.files("data") == small.files("data")


def test_the_page_explains_what_dvc_says() -> None:
    page = (ROOT / "docs/team.md").read_text()
    assert [phrase for phrase in MEANINGS if f"| `{phrase}` |" not in page] == []
    assert "`cache files do not exist neither locally nor on remote`" in page
    assert "`No space left on device`" in page
    assert "`failed to push data to the cloud` with `Failure` above it" in page


def test_the_doctor_says_what_the_default_remote_answers(
    small: Clone, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in small.environment(**server.environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(small.folder)
    assert default_remote() is None
    server.serve(small)
    empty = default_remote()
    assert empty is not None
    assert not empty.wrong
    if server.files.parts[-2] == "store":  # s3rver finds no folder above folders
        server.files.mkdir()
        there = default_remote()
        assert there is not None
        assert there.answer == "answers"
    with socket.socket() as silent:  # takes connections, and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        name, value = (
            ("endpointurl", f"http://{where}") if "endpointurl" in server.options else ("url", f"ssh://{where}/x")
        )
        small.do("dvc", "remote", "modify", "--local", "team", name, value)
        hangs = default_remote(limit=1)
    assert hangs is not None
    assert hangs.wrong
    assert "did not answer in 1 s" in hangs.answer
