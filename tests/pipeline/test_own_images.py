"""The user's images are an input: what changes among them is seen, wherever they lie, and nothing else runs."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pipeline.clone import Clone
from winnow.storage import load_table

pytestmark = pytest.mark.pipeline

FOLLOWING = ["download", "labels"]  # of the stages that the tests ask for; all others depend on these


def write_images(folder: Path) -> Path:
    """Ten images of each of two classes, and five to test on."""
    stream = np.random.default_rng(0)
    for part, count in (("train", 10), ("test", 5)):
        for name in ("cat", "dog"):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                write_image(folder / part / name / f"{number}.png", stream.integers(256, size=(8, 8), dtype=np.uint8))
    return folder


def write_image(file: Path, pixels: np.ndarray | None = None) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8) if pixels is None else pixels).save(file)


def beside(clone: Clone, folder: Path) -> tuple[str, Path]:
    """The value of download.path, and the folder in which images change."""
    return "../photos", write_images(folder / "photos")


def linked(clone: Clone, folder: Path) -> tuple[str, Path]:
    images = write_images(folder / "photos")
    clone.path("photos").symlink_to(images)
    return "photos", images


def added(clone: Clone, folder: Path) -> tuple[str, Path]:
    images = write_images(clone.path("photos"))
    clone.do("dvc", "add", "photos")
    return "photos", images


def imported(clone: Clone, folder: Path) -> tuple[str, Path]:
    clone.do("dvc", "import-url", str(write_images(folder / "there")), "photos")
    return "photos", clone.path("photos")


def use(clone: Clone, path: str, **others: object) -> None:
    for key, value in {"source": "image_folder", "path": path, "first": None, "first_test": None, **others}.items():
        clone.set(f"download.{key}", value)


@pytest.mark.parametrize("where", [beside, linked, added, imported])
def test_a_new_image_is_seen_and_nothing_else_runs(
    clone: Clone, tmp_path: Path, where: Callable[[Clone, Path], tuple[str, Path]]
) -> None:
    path, images = where(clone, tmp_path)
    use(clone, path)
    assert clone.repro("download") == ["download"]
    write_image(images / "train/cat/new.png")
    assert clone.repro("download") == ["download"]
    assert "train/cat/new.png" in ids(clone)


def ids(clone: Clone) -> list[str]:
    parts = [load_table(clone.path(f"data/images/{part}.parquet")) for part in ("train", "validation")]
    return [name for part in parts for name in part["id"]]


def test_moved_changed_and_removed_images_are_seen(clone: Clone, tmp_path: Path) -> None:
    images = write_images(tmp_path / "photos")
    use(clone, str(images))
    clone.repro("labels")
    assert clone.repro("labels") == []
    before = clone.files("data")
    (images / "train/cat/3.png").rename(images / "train/dog/moved.png")  # its label is another now
    assert re.search(r"^\t\tmodified: .*photos/?$", clone.do("dvc", "status", "download"), re.MULTILINE)
    assert clone.repro("labels") == FOLLOWING
    assert "train/dog/moved.png" in ids(clone)
    (images / "train/dog/moved.png").rename(images / "train/cat/3.png")
    assert clone.repro("labels") == []  # as it was: from the cache
    assert clone.files("data") == before
    whole = (images / "train/cat/3.png").read_bytes()
    write_image(images / "train/cat/3.png")
    assert clone.repro("labels") == FOLLOWING
    (images / "train/cat/3.png").write_bytes(whole)
    (images / "train/cat/4.png").unlink()
    (images / "train/dog/copy.png").write_bytes(whole)
    assert clone.repro("download") == ["download"]
    assert "train/cat/4.png" not in ids(clone)
    copies = load_table(clone.path("data/images/repeated.csv"))
    assert {*zip(copies["id"], copies["label"], strict=True)} == {
        ("train/cat/3.png", "cat"),
        ("train/dog/copy.png", "dog"),
    }


def test_parquet_files_are_an_input_too(clone: Clone, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    images = write_images(tmp_path / "photos")
    folder = tmp_path / "parquet"
    folder.mkdir()

    def write(part: str, swapped: bool = False) -> None:
        files = sorted((images / part).rglob("*.png"))
        column = [{"bytes": file.read_bytes(), "path": f"{file.parent.name}/{file.name}"} for file in files]
        labels = [int(file.parent.name == "dog") for file in files]
        labels = [1 - label for label in labels] if swapped else labels
        pq.write_table(pa.table({"image": column, "label": labels}), folder / f"{part}.parquet")

    write("train")
    write("test")
    use(clone, str(folder), source="parquet")
    assert clone.repro("download") == ["download"]
    write("train", swapped=True)
    write("test", swapped=True)
    assert clone.repro("download") == ["download"]


@pytest.mark.parametrize(
    ("path", "named"),
    [("nowhere", "no such folder"), ("~/photos", "write /"), (None, "download.path is needed")],
)
def test_a_folder_that_is_not_there_is_told_before_anything_is_lost(
    finished: Clone, tmp_path: Path, path: str | None, named: str
) -> None:
    clone = finished.copy(tmp_path / "clone")
    before = clone.files("data", "plots", "metrics")
    before = {name: content for name, content in before.items() if not name.startswith("data/code/")}  # check's own
    clone.set("download.source", "image_folder")
    clone.set("download.path", path)
    done = clone.run("dvc", "repro")
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    errors = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "download.path" in errors[0]
    assert named in errors[0]
    assert clone.files(*before) == before
