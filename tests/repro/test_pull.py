"""winnow pull believes nothing that a remote says: what is damaged is named, what would do harm is not done."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from dvc.repo import Repo
from dvc_objects.errors import ObjectFormatError
from hypothesis import given
from hypothesis import strategies as st

from tests.repro.pulled import FILES, LIST, Project, as_list, entry, md5
from winnow.cli.pull import pull as say_pull
from winnow.repro.books import opened, unverified
from winnow.repro.distrust import listed, run_of
from winnow.repro.pull import Options, pull


def test_what_is_whole_arrives_once(project: Project) -> None:
    assert pull() == (5 - 1, [], [], [])
    assert project.files() == FILES
    assert pull() == (0, [], [], [])


def test_one_output_alone(project: Project) -> None:
    assert pull(["a.bin"]).fetched == 1
    assert project.files() == {"a.bin": FILES["a.bin"]}


DAMAGE = {
    "flipped": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "other": lambda content: b"\x80\x04cos\nsystem\n",
}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("path", ["a.bin", "d", "d/one", "d/more/two"])
def test_a_damaged_object_is_named_and_everything_else_arrives(project: Project, path: str, how: str) -> None:
    file = project.remote(path)
    project.put(DAMAGE[how](file.read_bytes()), file.parent.name + file.name)
    found = pull()
    output = path.split("/", maxsplit=1)[0]
    assert (found.damaged, found.missing, found.left) == ([path], [], [output])
    assert project.files() == {name: content for name, content in FILES.items() if name.split("/")[0] != output}
    assert not project.cached(path).exists()  # else a later command would take it for whole


def test_a_missing_object_is_told_from_a_damaged_one(project: Project) -> None:
    project.remote("d/one").unlink()
    assert pull() == (3, [], ["d/one"], ["d"])


def test_it_says_what_to_do(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.put(b"other", md5(FILES["d/one"]))
    assert say_pull([], Options()) == 1
    printed = capsys.readouterr().out
    assert "damaged on the remote: d/one\n" in printed
    assert "left as they were: d; dvc repro makes them" in printed
    assert "winnow pull --mend" in printed


def test_a_remote_that_is_not_there(project: Project, user_error) -> None:
    (project.above / "remote").rename(project.above / "elsewhere")
    with user_error("remote", "no such folder"):
        pull()


@pytest.mark.parametrize("path", ["a.bin", "d", "d/one"])
def test_after_mend_a_push_puts_whole_objects_back(project: Project, path: str) -> None:
    pull()  # here all is whole
    content, name = project.remote(path).read_bytes(), project.remote(path).parent.name + project.remote(path).name
    project.put(b"other", name)
    with Repo() as repo, suppress(ObjectFormatError):  # of a list, which a push reads
        repo.push()
    assert project.remote(path).read_bytes() == b"other"  # DVC takes it for whole
    for file in project.folder.glob(".dvc/cache/files/md5/*/*"):
        file.rename(file.with_name(f"{file.name}.kept"))
    assert pull(options=Options(mend=True, force=True)).damaged == [path]
    assert not project.remote(path).exists()
    for file in project.folder.glob(".dvc/cache/files/md5/*/*.kept"):
        file.rename(file.with_suffix("") if not file.name.endswith(".dir.kept") else file.with_name(file.name[:-5]))
    with Repo() as repo:
        repo.push()
    assert project.remote(path).read_bytes() == content


# What would do harm

CLIMBING = [
    "../torch.py",
    "../../outside",
    "../.git/hooks/post-checkout",
    "/absolute",
    "inside/../../torch.py",
    "..",
    ".",
    "",
    "a//b",
    "a/",
    "nul\0",
]


@pytest.mark.parametrize("path", CLIMBING)
@pytest.mark.parametrize("named", ["by its own hash", "in place of another"])
def test_a_folder_with_a_file_outside_of_it(project: Project, path: str, named: str) -> None:
    path = path.replace("/absolute", str(project.above / "absolute"))
    content = as_list({"one": md5(FILES["d/one"]), path: project.put(b"#!/bin/sh\ntouch executed\n")})
    name = project.put(content, f"{md5(content if named == 'by its own hash' else LIST)}.dir")
    if named == "by its own hash":  # as a dvc.lock from a stranger, or an entry of the run cache, may say
        project.lock(d=name)
    before = project.elsewhere()
    assert pull().left == ["d"]
    assert project.elsewhere() == before
    assert not (project.folder / "d").exists()


@pytest.mark.parametrize("name", ["../../../secret", "..//../../../secret", "/etc/passwd", "aa/../../secret"])
def test_an_object_whose_name_leads_out_of_the_cache(project: Project, name: str) -> None:
    (project.above / "secret").write_bytes(b"secret")
    content = as_list({"one": md5(FILES["d/one"]), "stolen": name})
    project.lock(d=project.put(content, f"{md5(content)}.dir"))
    before = project.elsewhere()
    assert pull().left == ["d"]
    assert project.elsewhere() == before


@pytest.mark.parametrize("name", ["../../../secret", "..//../../../secret", "..secret"])
def test_a_lock_file_whose_name_leads_out_of_the_cache(project: Project, name: str, user_error) -> None:
    (project.above / "secret").write_bytes(b"secret")
    project.lock(**{"a.bin": name})
    with user_error("dvc.lock: a.bin", name, "no name of an object"):
        pull()
    assert not (project.folder / "a.bin").exists()


def test_an_object_that_is_a_link(project: Project) -> None:
    (project.above / "secret").write_bytes(b"secret")
    (project.above / "secret").chmod(0o444)
    project.remote("a.bin").unlink()
    project.remote("a.bin").symlink_to(project.above / "secret")
    assert pull().damaged == ["a.bin"]
    assert not (project.folder / "a.bin").exists()
    assert (project.above / "secret").read_bytes() == b"secret"


def test_a_list_longer_than_the_memory(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.repro.distrust.LONGEST", len(LIST) - 1)
    assert pull().left == ["d"]


@given(st.binary(max_size=50) | st.sampled_from([LIST, b"[" * 100_000, b"[1]", b"{}", b'[{"relpath": 1, "md5": 2}]']))
def test_any_bytes_are_a_list_or_are_refused(content: bytes) -> None:
    try:
        listed(content, f"{md5(content)}.dir")
    except ObjectFormatError:
        assert content != LIST


@given(st.lists(st.text(alphabet="ab./\\\0\n"), max_size=4, unique=True))
def test_all_files_of_a_list_lie_inside(paths: list[str]) -> None:
    content = as_list(dict.fromkeys(paths, md5(b"")))
    root = Path("/some/where/folder")
    try:
        tree = listed(content, f"{md5(content)}.dir")
    except ObjectFormatError:
        assert any(part in ("", ".", "..") or "\0" in part for path in paths for part in path.split("/"))
        return
    for key, _, _ in tree:
        assert root in Path(os.path.normpath(root.joinpath(*key))).parents


# The run cache


def test_an_entry_that_fits_its_key_is_taken(project: Project) -> None:
    file = project.run(entry({"a.bin": md5(FILES["a.bin"]), "d": f"{md5(LIST)}.dir"}))
    pull(options=Options(run_cache=True))
    own = project.folder / ".dvc/cache" / file.relative_to(project.above / "remote")
    assert own.read_bytes() == file.read_bytes()


GOOD = entry({"a.bin": md5(b"a"), "d": md5(b"d")})
KEY = "0" * 64
MADE_UP = {
    "another command": {**GOOD, "cmd": "touch executed"},
    "one more output, which is code": {**GOOD, "outs": [*GOOD["outs"], {"path": "torch.py", "md5": md5(b"evil")}]},
    "an output elsewhere": {**GOOD, "outs": [{"path": "../outside", "md5": md5(b"evil")}]},
    "an output of another name": {**GOOD, "outs": [{"path": "networks/mine.py", "md5": md5(b"evil")}]},
}


def key_of(about: dict) -> str:
    from dvc.stage.cache import _get_cache_hash

    return str(_get_cache_hash(json.loads(json.dumps(about)), key=True))


@pytest.mark.parametrize("about", MADE_UP.values(), ids=MADE_UP)
def test_an_entry_that_does_not_fit_its_key_is_not_taken(project: Project, about: dict) -> None:
    file = project.run(about, key=key_of(GOOD))
    pull(options=Options(run_cache=True))
    assert not list(project.folder.glob(".dvc/cache/runs/*/*/*"))
    # a plain dvc pull --run-cache has taken it: make repro does not
    own = project.folder / ".dvc/cache" / file.relative_to(project.above / "remote")
    own.parent.mkdir(parents=True)
    own.write_bytes(file.read_bytes())
    with opened() as repo:
        assert repo.stage_cache._load_cache(own.parent.name, own.name) is None
    assert not own.exists()


def test_entries_that_are_none(project: Project) -> None:
    laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for number, text in enumerate([laughs, "", "[", "\0", "- 1", "cmd: !!python/object/apply:os.system [id]"]):
        project.run(GOOD | {"cmd": str(number)}, text=text)
    climbing = project.run(entry({"a.bin": "../../../secret"}))
    aside = climbing.with_name("..climbs")
    aside.write_bytes(climbing.read_bytes())
    before = project.elsewhere()
    pull(options=Options(run_cache=True))
    assert project.elsewhere() == before
    assert not list(project.folder.glob(".dvc/cache/runs/*/*/*"))


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_of_an_entry_is_noticed_or_changes_nothing(place: int, bit: int) -> None:
    from dvc.stage.cache import _get_cache_hash

    content = json.dumps(GOOD).encode()
    place %= len(content)
    flipped = content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]
    value = _get_cache_hash(json.loads(json.dumps(GOOD)))
    assert run_of(content, key_of(GOOD), value) == GOOD
    assert run_of(flipped, key_of(GOOD), value) in (None, GOOD)


def test_a_remote_that_dvc_pull_would_believe_is_named(project: Project) -> None:
    with opened() as repo:
        assert unverified(repo) == ["remote team: dvc pull believes what it holds: dvc remote modify team verify true"]
    with (project.folder / ".dvc/config").open("a") as file:
        file.write("    verify = true\n")
    with opened() as repo:
        assert unverified(repo) == []
