"""Images in tar files, as WebDataset's own writer lays them out."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.pictures import encoded, picture
from winnow.datasets.build import build, read
from winnow.datasets.source import Source
from winnow.errors import UserError
from winnow.params.download import Download

LABELS = [1, 0, 2, 1, 0]
NAMES = ["dog", "cat", "eel"]
IMAGES = [encoded(picture(row)) for row in range(5)]


def write_tar(file: Path, members: list[tuple[str, bytes]], kind: str = "w") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, kind) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


def members(rows: range, folders: bool = True) -> list[tuple[str, bytes]]:
    """Two files of every image, with another that says nothing between them."""
    found = []
    for row in rows:
        name = f"{NAMES[LABELS[row]]}/{row:04d}" if folders else f"{row:04d}"
        found += [(f"{name}.cls", str(LABELS[row]).encode()), (f"{name}.json", b"{}"), (f"{name}.png", IMAGES[row])]
    return found


def write_set(folder: Path, **options: bool) -> Path:
    for part in ("train", "test"):
        write_tar(folder / f"{part}.tar", members(range(5), **options))
    return folder


def from_tar(folder: Path, **params: object) -> Source:
    return read(Download(source="webdataset", path=str(folder), **params))


def message(folder: Path) -> str:
    with pytest.raises(UserError) as raised:
        build(Download(source="webdataset", path=str(folder), validation=0.0))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_images_keep_their_order_and_their_names(tmp_path: Path) -> None:
    source = from_tar(write_set(tmp_path))
    for part, images in (("train", source.train), ("test", source.test)):
        assert images.labels.tolist() == LABELS
        assert images.ids.tolist() == [f"{part}/{NAMES[label]}/{row:04d}.png" for row, label in enumerate(LABELS)]
        assert np.array_equal(images.pixels, np.stack([picture(row).transpose(2, 0, 1) for row in range(5)]))
    assert source.class_names == NAMES  # of the folders


def test_class_names_come_from_their_file_or_are_the_labels(tmp_path: Path) -> None:
    write_set(tmp_path, folders=False)
    assert from_tar(tmp_path).class_names == ["0", "1", "2"]
    (tmp_path / "classes.txt").write_text("perro\ngato\nanguila\n")
    assert from_tar(tmp_path).class_names == ["perro", "gato", "anguila"]
    (tmp_path / "classes.txt").write_text("perro\ngato\n")
    assert message(tmp_path).startswith(f"{tmp_path}/train.tar image 2: the label is 2; labels go from 0 to 1")


@pytest.mark.parametrize("first", [1, 2, 3, 4, 5])
def test_shards_are_read_in_order_and_only_as_far_as_needed(tmp_path: Path, first: int) -> None:
    write_set(tmp_path)
    (tmp_path / "train.tar").unlink()
    for shard in (1, 0):
        found = members(range(3)) if shard == 0 else members(range(3, 5))
        broken = [
            (name, b"damaged" if name.endswith("png") and int(name[-8:-4]) >= first else data) for name, data in found
        ]
        write_tar(tmp_path / f"train-{shard:06d}.tar", broken)
    source = from_tar(tmp_path, first=first)
    assert len(source.train.pixels) == first
    assert source.train.positions.tolist() == list(range(first))
    assert np.array_equal(source.train.pixels[first - 1], picture(first - 1).transpose(2, 0, 1))


def test_long_names_are_names_too(tmp_path: Path) -> None:
    long = "n" * 150 + "/" + "7" * 120  # more than the header of a tar file holds
    for part in ("train", "test"):
        write_tar(tmp_path / f"{part}.tar", [(f"{long}.png", IMAGES[0]), (f"{long}.cls", b"0\n")])
    assert from_tar(tmp_path).train.ids.tolist() == [f"train/{long}.png"]


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ([("a.png", IMAGES[0])], "/train.tar: a has no .cls file with its label"),
        ([("a.cls", b"0")], "/train.tar: a has no image (.jpg, "),
        ([("b/a.cls", b"0"), ("b/a.png", IMAGES[0]), ("b/a.left.jpg", IMAGES[0])], "/train.tar: b/a.png and b/a.left"),
        ([("a.cls", b"cat"), ("a.png", IMAGES[0])], "/train.tar a.cls: holds b'cat'; it must be the label"),
        ([("a.cls", b"-1"), ("a.png", IMAGES[0])], "/train.tar a.cls: holds b'-1'; it must be the label"),
        ([("a.cls", b"0"), ("a.png", b"no image")], "/train.tar a.png: not an image"),
        ([("a.cls", b"0"), ("a.png", IMAGES[0][:60])], "/train.tar a.png: the image cannot be decoded"),
        ([("a.cls", b"7"), ("a.png", IMAGES[0])], ": label 3 is a class with no image in the train part"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_image(tmp_path: Path, own: list[tuple[str, bytes]], says: str) -> None:
    write_set(tmp_path)
    write_tar(tmp_path / "train.tar", [*members(range(5)), *own])
    assert message(tmp_path).startswith(f"{tmp_path}{says}")


def test_files_that_are_missing_compressed_or_cut_off(tmp_path: Path) -> None:
    assert message(tmp_path / "none").startswith(f"download.path: {tmp_path}/none: no such folder")
    assert message(tmp_path).startswith(f"{tmp_path}/train.tar: no such file, nor any train-*.tar")
    write_set(tmp_path)
    write_tar(tmp_path / "train.tar", [])
    assert message(tmp_path) == f"{tmp_path}/train.tar: has no images"
    write_set(tmp_path)
    whole = (tmp_path / "test.tar").read_bytes()
    (tmp_path / "test.tar").write_bytes(whole[:5000])
    assert message(tmp_path).startswith(f"{tmp_path}/test.tar: ")
    write_tar(tmp_path / "test.tar", members(range(5)), kind="w:gz")
    assert message(tmp_path).startswith(f"{tmp_path}/test.tar: not a readable tar file without compression")
