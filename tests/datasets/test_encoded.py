"""Images that stay encoded are those that are decoded into a map, pixel for pixel, wherever they are read."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.datasets.test_webdataset import write_tar
from winnow.datasets.build import build
from winnow.datasets.encoded import Encoded
from winnow.datasets.images import load_facts, load_pixels, load_split, save_dataset
from winnow.errors import UserError
from winnow.params.download import Download
from winnow.params.training import Augment
from winnow.storage import save_tensors
from winnow.training.batches import to_device, training_batches

RNG = np.random.default_rng(0)
SIZES = [(9, 7), (7, 9), (12, 12), (5, 6)]


def file_of(row: int, kind: str = "jpeg", mode: str = "RGB") -> bytes:
    height, width = SIZES[row % len(SIZES)]
    pixels = np.random.default_rng(row).integers(0, 256, (height, width, 3), dtype=np.uint8)
    written = BytesIO()
    Image.fromarray(pixels).convert(mode).save(written, kind)
    return written.getvalue()


FILES = [file_of(row, "png" if row % 3 else "jpeg", "L" if row % 5 == 0 else "RGB") for row in range(40)]


def tars(folder: Path, files: list[bytes] = FILES) -> Path:
    for part, its in (("train", files), ("test", files[:8])):
        members = []
        for row, data in enumerate(its):
            members += [(f"{row:03d}.jpg", data), (f"{row:03d}.cls", str(row % 2).encode())]
        write_tar(folder / f"{part}.tar", members)
    return folder


def folders(folder: Path, files: list[bytes] = FILES) -> Path:
    for part, its in (("train", files), ("test", files[:8])):
        for row, data in enumerate(its):
            (folder / part / f"c{row % 2}").mkdir(parents=True, exist_ok=True)
            (folder / part / f"c{row % 2}" / f"{row:03d}.jpg").write_bytes(data)
    return folder


def by_hand(data: bytes, size: tuple[int, int], channels: int) -> np.ndarray:
    """What Pillow makes of one file, [c, h, w]."""
    image = Image.open(BytesIO(data))
    plain = image.convert("L" if image.mode == "L" else "RGB").resize(size[::-1], Image.Resampling.BILINEAR)
    pixels = np.asarray(plain)
    return np.repeat(pixels[None], channels, axis=0) if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def both(source: str, path: Path, folder: Path, **params: object) -> tuple[Path, Path]:
    """The folders of two data sets: kept as pixels, and encoded."""
    for keep in ("pixels", "encoded"):
        save_dataset(folder / keep, build(Download(source=source, path=str(path), keep=keep, **params)), {})
    return folder / "pixels", folder / "encoded"


@pytest.mark.parametrize(("source", "write"), [("webdataset", tars), ("image_folder", folders)])
def test_a_data_set_is_the_same(tmp_path: Path, source: str, write: object) -> None:
    plain, kept = both(source, write(tmp_path / "images"), tmp_path, size=[6, 8], validation=0.2)
    assert load_facts(plain) == load_facts(kept)
    for part in ("train", "validation", "test"):
        assert (plain / f"{part}.parquet").read_bytes() == (kept / f"{part}.parquet").read_bytes()
        pixels, encoded = load_pixels(plain, part), load_pixels(kept, part)
        assert isinstance(encoded, Encoded)
        assert encoded.shape == pixels.shape
        np.testing.assert_array_equal(encoded[:], pixels)
    test = load_pixels(kept, "test")
    if source == "webdataset":
        np.testing.assert_array_equal(test[:], [by_hand(data, (6, 8), 3) for data in FILES[:8]])


def test_without_a_size_all_must_have_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"download\.size is needed.* 000\.jpg is 9x7 .* 001\.jpg is 7x9"):
        build(Download(source="webdataset", path=str(tars(tmp_path)), keep="encoded"))
    one = tars(tmp_path / "one", FILES[:40:4])
    plain, kept = both("webdataset", one, tmp_path / "out", validation=0.0)
    np.testing.assert_array_equal(load_pixels(kept, "train")[:], load_pixels(plain, "train"))


def test_grey_images_have_one_channel(tmp_path: Path) -> None:
    grey = tars(tmp_path, [file_of(row, "png", "L") for row in range(10)])
    plain, kept = both("webdataset", grey, tmp_path / "out", size=[5, 5], validation=0.0)
    assert load_pixels(kept, "train").shape == (10, 1, 5, 5)
    np.testing.assert_array_equal(load_pixels(kept, "train")[:], load_pixels(plain, "train"))


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("sets")
    return both("webdataset", tars(folder / "images"), folder, size=[6, 8], validation=0.2)


@given(st.lists(st.integers(-32, 31), max_size=40), st.slices(32))
def test_any_rows_can_be_taken(sets: tuple[Path, Path], rows: list[int], part: slice) -> None:
    pixels, encoded = (load_pixels(folder, "train") for folder in sets)
    index = np.array(rows, np.int64)
    np.testing.assert_array_equal(encoded[index], pixels[index])
    np.testing.assert_array_equal(encoded[part], pixels[part])
    np.testing.assert_array_equal(encoded[3], pixels[3])


def test_a_row_that_is_not_there(sets: tuple[Path, Path]) -> None:
    with pytest.raises(IndexError, match="32 images"):
        load_pixels(sets[1], "train")[np.array([0, 32])]


def test_training_sees_the_same_batches(sets: tuple[Path, Path]) -> None:
    device, found = torch.device("cpu"), []
    for folder in sets:
        images = to_device(load_split(folder, "train").take(np.arange(1, 32)), load_facts(folder), device)
        batches = list(training_batches(images, 4, Augment(crop=1, flip=True), [0, 1], 3))
        batches += [(inputs, labels) for inputs, labels in images.part(np.array([5, 2, 9])).batches(2)]
        batches += [*list(images.in_order(10)), images.mixed(7)[1]]
        found.append([each for batch in batches for each in batch])
    assert len(found[0]) == 7 * 3 + 2 * 2 + 4 * 2 + 2
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_damaged_image_is_named_by_download(tmp_path: Path, part: str) -> None:
    whole = file_of(2, "png")
    for name in ("train", "test"):
        files = [whole[: len(whole) // 2] if (name, row) == (part, 4) else whole for row in range(6)]
        members = [(f"{row}{end}", data) for row in range(6) for end, data in ((".png", files[row]), (".cls", b"0"))]
        write_tar(tmp_path / f"{name}.tar", members)
    with pytest.raises(UserError, match=rf"{part}\.tar 4\.png: the image cannot be decoded"):  # its beginning is whole
        build(Download(source="webdataset", path=str(tmp_path), keep="encoded", validation=0.0))
    write_tar(tmp_path / f"{part}.tar", [("4.png", b"no image"), ("4.cls", b"0")])
    with pytest.raises(UserError, match=rf"{part}\.tar 4\.png: not an image"):
        build(Download(source="webdataset", path=str(tmp_path), keep="encoded", validation=0.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"ends": [0, 3, 9]},
        {"ends": [1, 3, 10]},
        {"ends": [0, 8, 3, 10]},
        {"ends": []},
        {"of_image": [3, 4]},
        {"of_image": [3, 0, 4]},
        {"of_image": [3, 10**6, 10**6]},
    ],
)
def test_a_damaged_file_of_images_is_named(tmp_path: Path, user_error: object, wrong: dict[str, list[int]]) -> None:
    right = {"ends": [0, 3, 10], "of_image": [3, 4, 4], "resized": 1} | wrong
    tensors = {name: np.array(value, np.int64) for name, value in right.items()}
    save_tensors(tmp_path / "train.safetensors", {"encoded": np.zeros(10, np.uint8)} | tensors)
    with user_error(tmp_path / "train.safetensors", "not a readable file of encoded images"):
        load_pixels(tmp_path, "train")


def test_other_sources_have_nothing_encoded() -> None:
    with pytest.raises(ValueError, match=r"download\.keep: digits has no encoded images"):
        Download(source="digits", keep="encoded")
