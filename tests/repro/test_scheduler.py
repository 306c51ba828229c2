"""Several stages at once, in small projects of DVC: the books are those of ``dvc repro``, whatever happens."""

import hashlib
import os
import re
import shutil
import signal
from pathlib import Path

import psutil
import pytest
from dvc.utils.serialize import dump_yaml, load_yaml

from tests.repro.toy import ALL, REPRO, Toy, copy, ran, wait


@pytest.mark.parametrize("jobs", ["1", "7"])
def test_the_books_are_those_of_dvc_repro(toy: Toy, by_dvc: Toy, jobs: str) -> None:
    status, printed = toy.repro("--jobs", jobs)
    assert status == 0, printed
    assert ran(printed) == ALL
    assert "  made data/items/x/out\n" in printed
    assert toy.books() == by_dvc.books()
    assert "up to date" in toy.run("dvc", "repro")[1]
    assert toy.repro() == (0, "Data and pipelines are up to date.\n")


def test_it_ends_with_the_command_that_runs_it(toy: Toy) -> None:
    status, printed = toy.run(*REPRO, WINNOW_PARENT="1")  # a process that is not, or no longer, its parent
    assert status == 1
    assert "Traceback" not in printed
    assert not toy.path("dvc.lock").exists()


def test_a_change_runs_what_depends_on_it_and_coming_back_takes_it_from_the_cache(finished: Toy) -> None:
    twin = copy(finished, finished.folder.with_name("twin"))
    for params in ("left: 2\nitems: {x: 1, y: 1, z: 3}\n", "left: 1\nitems: {x: 1, y: 1}\n"):
        for project in (finished, twin):
            project.path("params.yaml").write_text(params)
        status, printed = finished.repro()
        assert status == 0
        assert twin.run("dvc", "repro")[0] == 0
        assert finished.books() == twin.books()
        if "z" in params:
            assert ran(printed) == ["item@z", "last", "left"]
        else:
            assert ran(printed) == ["last"]  # DVC keeps no runs of stages that write for git
            assert "left came from the cache" in printed


def test_stages_run_side_by_side_and_the_longest_way_is_begun_first(toy: Toy) -> None:
    for stage in ("apart", "first", "left", "item@x"):
        toy.path(f"hold.{stage}").touch()
    with toy.start(*REPRO, "--jobs", "2") as process:
        wait(lambda: toy.began("first") and toy.began("apart"))
        toy.path("hold.first").unlink()
        wait(lambda: toy.began("left") or toy.began("item@x") or toy.began("item@y"))
        toy.path("hold.apart").unlink()
        wait(lambda: toy.path("log/apart.ended").exists())
        for name in ("hold.left", "hold.item@x"):
            toy.path(name).unlink()
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_stage_that_fails_stops_what_depends_on_it_and_nothing_else(finished: Toy, by_dvc: Toy) -> None:
    finished.path("params.yaml").write_text("left: 2\nitems: {x: 2, y: 1}\n")
    finished.path("fail.left").touch()
    status, printed = finished.repro()
    assert status == 1
    assert ran(printed) == ["item@x"]
    assert re.search(r"^left failed \(exit status 1\) in .* s\n  error: in.txt: has no last line\n", printed, re.M)
    assert printed.endswith("failed: left; 1 that depend on it did not run\n")
    finished.path("fail.left").unlink()
    assert ran(finished.repro()[1]) == ["last", "left"]


def test_a_stage_that_is_killed_says_so(toy: Toy) -> None:
    toy.path("hold.apart").touch()
    with toy.start(*REPRO) as process:
        os.kill(toy.process_of("apart"), signal.SIGKILL)
        printed = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert "apart failed (ended by SIGKILL, perhaps out of memory)" in printed
    assert ran(printed) == sorted(set(ALL) - {"apart"})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_with_all_that_runs_and_the_next_start_goes_on(toy: Toy, by_dvc: Toy, number: int) -> None:
    toy.path("hold.item@y").touch()
    with toy.start(*REPRO) as process:
        stage = toy.process_of("item@y")
        wait(lambda: toy.path("log/first.ended").exists() and toy.path("log/left.ended").exists())
        process.send_signal(number)
        printed = process.communicate(timeout=60)[0]
    assert process.returncode == 128 + number
    assert printed.endswith("interrupted; make repro goes on from here\n")
    assert "Traceback" not in printed
    wait(lambda: not psutil.pid_exists(stage))
    toy.path("hold.item@y").unlink()
    status, printed = toy.repro()
    assert status == 0
    assert "first" not in ran(printed)
    assert toy.books() == by_dvc.books()


def test_ctrl_c_while_it_imports_what_it_needs_is_told_in_one_line(toy: Toy) -> None:
    toy.path("dvc.py").write_text("from pathlib import Path\nPath('begun').touch()\nimport time\ntime.sleep(100)\n")
    with toy.start(*REPRO) as process:
        wait(lambda: toy.path("begun").exists())
        process.send_signal(signal.SIGINT)
        printed = process.communicate(timeout=60)[0]
    assert (process.returncode, printed) == (130, "interrupted; make repro goes on from here\n")


def test_when_it_is_killed_nothing_stays_and_the_next_start_goes_on(toy: Toy, by_dvc: Toy) -> None:
    toy.path("hold.item@y").touch()
    with toy.start(*REPRO) as process:
        stage = toy.process_of("item@y")
        below = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    assert stage in [child.pid for child in below]
    psutil.wait_procs(below, timeout=20)
    assert [child for child in below if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    toy.path("hold.item@y").unlink()
    plain = copy(toy, toy.folder.with_name("plain"))
    status, printed = toy.repro()
    assert status == 0, printed
    assert toy.books() == by_dvc.books()
    status, printed = plain.run("dvc", "repro")  # goes on as well, and adds to dvc.lock in another order
    assert status == 0, printed
    assert plain.books().keys() == by_dvc.books().keys()
    assert "up to date" in plain.repro()[1]


def test_a_second_one_does_not_write_what_the_first_one_writes(toy: Toy) -> None:
    toy.path("hold.first").touch()
    with toy.start(*REPRO) as process:
        toy.process_of("first")
        status, printed = toy.repro("first")
        assert status == 1
        assert "first failed: " in printed
        assert "data/first" in printed
        assert "Traceback" not in printed
        toy.path("hold.first").unlink()
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_an_entry_of_the_run_cache_that_a_killed_dvc_began_is_no_entry(finished: Toy, by_dvc: Toy) -> None:
    runs = sorted(entry for entry in finished.path(".dvc/cache/runs").rglob("*") if entry.is_file())
    runs[0].unlink()
    unfinished = runs[1].with_name(f".{'a' * 22}.tmp")
    unfinished.write_text("cmd: python")
    finished.path("dvc.lock").unlink()
    status, printed = finished.repro()
    assert status == 0
    assert len(ran(printed)) == 2
    unfinished.unlink()
    assert finished.books() == by_dvc.books()


def test_what_a_killed_dvc_left_beside_an_output_does_not_change_the_folder(finished: Toy) -> None:
    finished.path(f"data/items/.{'a' * 22}.tmp").touch()
    assert "up to date" in finished.repro()[1]


def test_what_a_killed_dvc_left_half_written_is_mended(finished: Toy, by_dvc: Toy) -> None:
    assert finished.repro()[0] == 0
    finished.path(".dvc/tmp/rwlock").write_text('{"data/first": {"re')
    lock = finished.path("dvc.lock")
    lock.write_bytes(lock.read_bytes()[:200])
    assert finished.run("dvc", "repro")[0] != 0
    finished.run("git", "add", "dvc.yaml")
    status, printed = finished.repro()
    assert status == 0, printed
    assert ".dvc/tmp/rwlock: was left half-written by a dvc that was killed; removed" in printed
    assert "dvc.lock: was left half-written by a dvc that was killed; " in printed
    assert set(ran(printed)) <= {"last"}  # DVC's run cache has the others
    assert finished.books() == by_dvc.books()


@pytest.mark.parametrize(
    ("file", "content"),
    [(".dvc/tmp/rwlock", b'{"wsite": {"data": {}}}'), ("dvc.lock", b"schema: '2.0'\nst\xe1ges: {}\n")],
)
def test_what_is_damaged_but_not_half_written_is_mended_too(
    finished: Toy, by_dvc: Toy, file: str, content: bytes
) -> None:
    assert finished.repro()[0] == 0
    finished.path(file).write_bytes(content)
    status, printed = finished.repro()
    assert status == 0, printed
    assert f"{file}: was left half-written" in printed
    assert finished.books() == by_dvc.books()


def test_a_run_that_failed_leaves_no_trace_in_the_order_of_dvc_lock(toy: Toy, by_dvc: Toy) -> None:
    toy.path("fail.left").touch()
    assert toy.repro()[0] == 1
    toy.path("fail.left").unlink()
    assert toy.repro()[0] == 0
    assert toy.books() == by_dvc.books()


def test_the_copy_of_dvc_lock_that_is_put_back_has_its_stages_in_order(toy: Toy, by_dvc: Toy) -> None:
    toy.path("hold.first").touch()
    with toy.start(*REPRO) as process:
        wait(lambda: toy.path("log/apart.ended").exists())  # before the first
        toy.path("hold.first").unlink()
        process.communicate(timeout=60)
    assert toy.books() == by_dvc.books()
    lock = toy.path("dvc.lock")
    lock.write_bytes(lock.read_bytes()[:200])
    assert "put back from a copy" in toy.repro()[1]
    assert toy.books() == by_dvc.books()


def test_a_dvc_lock_that_ends_after_a_whole_entry_gets_the_others_back_in_their_order(finished: Toy) -> None:
    lock = finished.path("dvc.lock")
    content = load_yaml(lock)
    content["stages"]["left"] = content["stages"].pop("left")  # now the last, as if it had been added later
    dump_yaml(str(lock), content)
    assert finished.repro()[0] == 0
    whole, stages = lock.read_bytes(), list(content["stages"])
    lock.write_bytes(whole[: whole.index(f"  {stages[2]}:".encode())])
    assert list(load_yaml(lock)["stages"]) == stages[:2]
    assert finished.repro()[0] == 0
    assert lock.read_bytes() == whole


@pytest.mark.parametrize("damage", [(b"Cache_key_raw", b"Cache_+ey_raw"), (b"SQLite format 3", b"SQLite farmat 3")])
@pytest.mark.parametrize("table", ["links", "hashes"])
def test_a_damaged_state_database_is_named_and_then_made_again(
    finished: Toy, table: str, damage: tuple[bytes, bytes]
) -> None:
    assert finished.repro()[0] == 0
    (file,) = (path for path in finished.folder.parent.rglob("cache.db") if table in path.parts)
    content = file.read_bytes()
    assert damage[0] in content
    file.write_bytes(content.replace(*damage))
    status, printed = finished.repro()
    assert (status, printed.count("\n")) == (1, 1)
    assert f"{file.parent}: DVC's state database was damaged" in printed
    assert finished.repro() == (0, "Data and pipelines are up to date.\n")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("dvc.yaml", "  last:", "  lust"), "dvc.yaml"),
        (("params.yaml", "left: 1", "left: [1"), "params.yaml"),
        (("params.yaml", "left: 1\n", ""), "left"),
        (("dvc.yaml", "in.txt]", "im.txt]"), "im.txt"),
    ],
)
def test_what_dvc_finds_wrong_is_told_in_one_line(toy: Toy, change: tuple[str, str, str], named: str) -> None:
    file, old, new = change
    text = toy.path(file).read_text()
    assert old in text
    toy.path(file).write_text(text.replace(old, new))
    status, printed = toy.repro()
    assert status == 1
    assert "Traceback" not in printed
    assert any(named in line for line in printed.splitlines() if "error" in line or "failed" in line), printed


def test_only_what_is_asked_for_runs_and_wrong_arguments_are_told(toy: Toy) -> None:
    assert ran(toy.repro("left")[1]) == ["first", "left"]
    status, printed = toy.repro("--jobs", "0")
    assert status == 2
    assert "--jobs: 0: must be a whole number above 0 (make repro JOBS=2)" in printed
    status, printed = toy.repro("lost")
    assert status == 1
    assert "lost" in printed
    assert len(printed.strip().splitlines()) == 1


def flip(file: Path) -> None:
    """Flip a bit, as a failing disk does: the size, the time and the inode stay."""
    about, mode = file.stat(), file.stat().st_mode
    file.chmod(0o644)
    with file.open("r+b") as opened:
        first = opened.read(1)
        opened.seek(0)
        opened.write(bytes([first[0] ^ 1]))
    file.chmod(mode)
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def objects_of(toy: Toy, name: str) -> Path:
    digest = hashlib.md5(toy.path(name).read_bytes()).hexdigest()
    return toy.path(f".dvc/cache/files/md5/{digest[:2]}/{digest[2:]}")


def test_an_input_that_changed_without_its_time_is_named_and_then_replaced(finished: Toy) -> None:
    twin = copy(finished, finished.folder.with_name("twin"))
    assert finished.repro()[0] == 0
    flip(finished.path("data/first"))
    assert finished.repro() == (0, "Data and pipelines are up to date.\n")  # nothing reads it
    for project in (finished, twin):
        project.path("params.yaml").write_text("left: 2\nitems: {x: 1, y: 1}\n")
    status, printed = finished.repro()
    assert status == 1
    assert "left failed: data/first: is damaged: its bytes have changed, but not its size and time" in printed
    assert "Traceback" not in printed
    status, printed = finished.repro()
    assert status == 0, printed
    assert "first came from the cache" in printed
    assert twin.repro()[0] == 0
    assert finished.books() == twin.books()


def test_a_damaged_object_is_not_restored_but_made_again(finished: Toy, by_dvc: Toy) -> None:
    flip(objects_of(finished, "data/first"))
    flip(objects_of(finished, "data/items/x/out"))
    shutil.rmtree(finished.path("data"))
    status, printed = finished.repro()
    assert status == 0, printed
    assert ran(printed) == ["first", "item@x"]
    assert finished.books() == by_dvc.books()


def test_a_damaged_entry_of_the_run_cache_is_no_entry(finished: Toy, by_dvc: Toy) -> None:
    entry = next(path for path in finished.path(".dvc/cache/runs").rglob("*") if path.is_file())
    text = entry.read_text()
    entry.write_text(text.replace("path: data/", "path: daTa/"))
    shutil.rmtree(finished.path("data"))
    finished.path("dvc.lock").unlink()
    status, printed = finished.repro()
    assert status == 0, printed
    assert entry.read_text() == text
    assert finished.books() == by_dvc.books()


def test_what_only_the_cache_lacks_is_put_there_and_not_made_again(finished: Toy, by_dvc: Toy) -> None:
    objects_of(finished, "data/first").unlink()
    shutil.rmtree(finished.path(".dvc/cache/runs"))
    assert finished.repro() == (0, "Data and pipelines are up to date.\n")
    assert objects_of(finished, "data/first").read_bytes() == by_dvc.path("data/first").read_bytes()
    assert "up to date" in finished.run("dvc", "repro")[1]


def test_doctor_names_an_output_that_changed_without_its_time(finished: Toy) -> None:
    assert finished.repro()[0] == 0
    flip(finished.path("data/items/x/out"))
    status, printed = finished.run("winnow", "doctor", "--cache")
    assert status == 1
    assert "wrong: data/items/x/out: damaged: its bytes have changed, but not its size and time" in printed
    assert "data/items/y/out" not in printed
