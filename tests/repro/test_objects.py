"""What is damaged in DVC's cache is found, named with its outputs, and taken out."""

from pathlib import Path

import pytest

from tests.repro.pulled import FILES, LIST, Project, entry, md5
from winnow.repro.objects import damaged, mend
from winnow.repro.pull import Options, pull

CACHE = Path(".dvc/cache")


@pytest.fixture
def whole(project: Project) -> Project:
    """Everything pulled, an entry of the run cache too."""
    project.run(entry({"a.bin": md5(FILES["a.bin"]), "d": f"{md5(LIST)}.dir"}))
    pull(options=Options(run_cache=True))
    return project


def spoil(file: Path, content: bytes = b"other") -> None:
    mode = file.stat().st_mode
    file.chmod(0o644)
    file.write_bytes(content)
    file.chmod(mode)


def test_nothing_is_damaged_in_a_whole_cache(whole: Project) -> None:
    assert list(damaged(CACHE)) == []


@pytest.mark.parametrize("path", ["a.bin", "d", "d/one", "d/more/two"])
@pytest.mark.parametrize("content", [b"", b"other"])
def test_a_damaged_object_is_named_with_its_path(whole: Project, path: str, content: bytes) -> None:
    spoil(whole.cached(path), content)
    (found,) = damaged(CACHE)
    assert found.paths == (Path(path),)
    assert path in str(found)


def test_a_damaged_entry_of_the_run_cache_is_found(whole: Project) -> None:
    (file,) = CACHE.glob("runs/*/*/*")
    spoil(file, file.read_bytes().replace(md5(FILES["a.bin"]).encode(), md5(b"other").encode()))
    assert [found.file for found in damaged(CACHE)] == [file]


def test_an_object_of_no_output_here_is_found_too(whole: Project) -> None:
    Path("dvc.lock").unlink()
    spoil(whole.cached("a.bin"))
    (found,) = damaged(CACHE)
    assert found.paths == ()
    assert "no output of this branch" in str(found)


def test_an_object_that_is_whole_in_the_workspace_comes_back_from_there(whole: Project) -> None:
    spoil(whole.cached("d/one"))
    (found,) = damaged(CACHE)
    assert "put back from d/one" in mend(found)
    assert list(damaged(CACHE)) == []
    assert whole.cached("d/one").read_bytes() == FILES["d/one"]
    assert whole.cached("d/one").stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("path", ["a.bin", "d/one"])
def test_what_came_of_a_damaged_object_goes_with_it_and_the_next_pull_brings_it(whole: Project, path: str) -> None:
    """As after a dvc pull from a remote that is not verified: DVC takes both for whole."""
    spoil(whole.cached(path))
    spoil(whole.folder / path)
    (found,) = damaged(CACHE)
    assert "removed" in mend(found)
    assert not (whole.folder / path).exists()
    assert pull() == (1, [], [], [])
    assert whole.files() == FILES
    assert list(damaged(CACHE)) == []
