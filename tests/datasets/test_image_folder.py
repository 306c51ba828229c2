import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.datasets.folder import IMG_EXTENSIONS

from tests.datasets.pictures import encoded, picture, write_folder
from winnow.datasets.build import build, read
from winnow.datasets.sources.image_folder import EXTENSIONS
from winnow.errors import UserError
from winnow.params.download import Download


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes whose order, like that of their files, is not the alphabet's: upper case, a dash, folders below."""
    names = ["Zebra/b.png", "Zebra/a.PNG", "Zebra/10.png", "Zebra/9.png", "Zebra/sub/x.bmp", "Zebra/sub-1/x.png"]
    names += ["ant/b.ppm", "ant/B.png", "ant/c.webp"]
    files = {f"train/{name}": picture(row) for row, name in enumerate(names)}
    files |= {
        f"test/{name}": picture(100 + row) for row, name in enumerate(["ant/1.png", "Zebra/1.png", "Zebra/0.png"])
    }
    write_folder(tmp_path / "set", files)
    (tmp_path / "set/train/ant/notes.txt").write_text("not an image")
    (tmp_path / "set/train/notes.txt").write_text("not a class")
    return tmp_path / "set"


def from_folder(folder: Path, **params):
    return read(Download(source="image_folder", path=str(folder), **params))


def message(folder: Path, **params) -> str:
    with pytest.raises(UserError) as raised:
        build(Download(source="image_folder", path=str(folder), validation=0.0, **params))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_the_extensions_are_torchvisions():
    assert EXTENSIONS == IMG_EXTENSIONS


@pytest.mark.parametrize("part", ["train", "test"])
def test_positions_are_the_indices_of_torchvisions_image_folder(folder, part):
    source = from_folder(folder)
    images, expected = getattr(source, part), ImageFolder(str(folder / part))
    assert len(images) == len(expected)
    assert source.class_names == expected.classes
    for row, position in enumerate(images.positions):
        pixels, label = expected[position]
        assert images.labels[row] == label
        assert np.array_equal(images.pixels[row], np.asarray(pixels).transpose(2, 0, 1))
        assert images.ids[row] == Path(expected.samples[position][0]).relative_to(folder).as_posix()


def test_the_first_images_are_read_alone(folder):
    (folder / "train/ant/c.webp").write_bytes(b"damaged, but not among the first")
    images = from_folder(folder, first=4).train
    assert images.ids.tolist() == ["train/Zebra/10.png", "train/Zebra/9.png", "train/Zebra/a.PNG", "train/Zebra/b.png"]


def test_grey_images_stay_grey(tmp_path):
    files = {f"{part}/{name}.png": picture(0, grey=True) for part in ("train", "test") for name in ("a/1", "b/1")}
    folder = write_folder(tmp_path, files)
    Image.fromarray(picture(1, grey=True) > 127).save(folder / "train/b/1.png")  # mode 1: one bit a pixel
    source = from_folder(folder)
    assert source.train.pixels.shape == (2, 1, 6, 5)
    assert np.array_equal(source.train.pixels[0, 0], picture(0, grey=True))
    assert np.array_equal(source.train.pixels[1, 0], np.where(picture(1, grey=True) > 127, 255, 0))


@pytest.mark.parametrize("coloured", ["train/a/1.png", "train/b/1.png", "test/a/1.png"])
def test_one_coloured_image_makes_all_rgb(tmp_path, coloured):
    files = {f"{part}/{name}.png": picture(0, grey=True) for part in ("train", "test") for name in ("a/1", "b/1")}
    write_folder(tmp_path, {**files, coloured: picture(1)})
    parts = build(Download(source="image_folder", path=str(tmp_path), validation=0.0)).splits
    for part in (parts["train"], parts["test"]):
        assert part.pixels.shape == (2, 3, 6, 5)
        for name, pixels in zip(part.ids, part.pixels, strict=True):
            expected = Image.open(tmp_path / name).convert("RGB")
            assert np.array_equal(pixels, np.asarray(expected).transpose(2, 0, 1))


def test_other_modes(folder):
    rgba = np.dstack([picture(1), picture(2, grey=True)])
    Image.fromarray(rgba).save(folder / "train/Zebra/b.png")
    Image.fromarray(picture(3)).quantize(16).save(folder / "train/Zebra/9.png")  # a palette
    deep = picture(4, grey=True).astype(np.uint16) * 256 + 99
    Image.fromarray(deep).save(folder / "train/Zebra/10.png")
    images = from_folder(folder).train
    pixels = dict(zip(images.ids, images.pixels.transpose(0, 2, 3, 1), strict=True))
    assert np.array_equal(pixels["train/Zebra/b.png"], picture(1))
    assert np.array_equal(pixels["train/Zebra/9.png"], Image.open(folder / "train/Zebra/9.png").convert("RGB"))
    assert np.array_equal(pixels["train/Zebra/10.png"], np.dstack([picture(4, grey=True)] * 3))


def test_images_are_resized_to_height_and_width(folder):
    Image.fromarray(picture(7, (20, 30))).save(folder / "train/Zebra/b.png")
    images = from_folder(folder, size=[8, 4]).train
    assert images.pixels.shape == (9, 3, 8, 4)
    row = images.ids.tolist().index("train/Zebra/b.png")
    expected = Image.fromarray(picture(7, (20, 30))).resize((4, 8), Image.Resampling.BILINEAR)
    assert np.array_equal(images.pixels[row], np.asarray(expected).transpose(2, 0, 1))


def test_sizes_that_differ_are_told_with_their_files(folder):
    Image.fromarray(picture(7, (20, 30))).save(folder / "train/ant/B.png")
    text = message(folder)
    assert text.startswith("download.size is needed")
    assert f"{folder}/train/Zebra/10.png is 6x5 pixels" in text
    assert f"{folder}/train/ant/B.png is 20x30" in text


def test_missing_folders(folder, tmp_path):
    assert message(tmp_path / "none").startswith(f"download.path: {tmp_path}/none: no such folder")
    shutil.rmtree(folder / "test")
    assert message(folder).startswith(f"{folder}/test: no such folder")
    (folder / "test").mkdir()
    assert message(folder).startswith(f"{folder}/test: no class folder in it")
    shutil.rmtree(folder / "train")
    assert message(folder).startswith(f"{folder}/train: no such folder")


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_class_folder_without_images(folder, part):
    shutil.rmtree(folder / part / "ant")
    (folder / part / "ant").mkdir()
    (folder / part / "ant/readme.txt").write_text("nothing here")
    assert message(folder).startswith(f"{folder}/{part}/ant: a class folder with no image in it")


@pytest.mark.parametrize(("part", "other"), [("train", "test"), ("test", "train")])
def test_a_class_that_one_part_lacks(folder, part, other):
    write_folder(folder, {f"{part}/bee/1.png": picture(1)})
    assert message(folder).startswith(f"{folder}/{part}/bee: is a class that {folder}/{other} lacks")


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "tiff", "webp", "ppm"])
@pytest.mark.parametrize("fraction", [0.0, 0.02, 0.5, 0.9])
def test_a_file_that_was_cut_off(folder, kind, fraction):
    data = encoded(picture(0, (40, 40)), kind)
    file = folder / "train/ant/B.png"  # Pillow goes by the content, not by the ending
    file.write_bytes(data[: int(fraction * len(data))])
    assert message(folder).startswith(f"{file}: ")


def test_bytes_that_are_no_image(folder):
    (folder / "test/ant/1.png").write_bytes(b"<html>404</html>\n")
    assert message(folder) == f"{folder}/test/ant/1.png: not an image, or of a format that Pillow does not know"


def test_pixels_without_a_known_range(folder):
    Image.fromarray(np.ones((6, 5), dtype=np.float32)).save(folder / "train/ant/B.tiff")
    assert message(folder).startswith(f"{folder}/train/ant/B.tiff: has 32-bit pixels (mode F)")


def test_a_name_that_is_not_utf8(folder):
    try:
        shutil.copy(folder / "train/ant/B.png", os.fsdecode(os.fsencode(folder / "train/ant") + b"/caf\xe9.png"))
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    assert message(folder).startswith(f"{folder}: the file name 'train/ant/caf\\udce9.png' is not UTF-8")


@pytest.mark.parametrize("link", ["train", "train/ant", "test/Zebra/linked"])
def test_a_link_to_a_folder_below_is_refused_as_dvc_does_not_look_into_it(folder, tmp_path, link):
    if (folder / link).exists():
        (folder / link).rename(tmp_path / "elsewhere")
    else:
        (tmp_path / "elsewhere").mkdir()
    (folder / link).symlink_to(tmp_path / "elsewhere")
    assert f"{folder / link}: is a symbolic link to a folder" in message(folder)


def test_links_to_single_images_and_to_the_folder_itself_are_followed(folder, tmp_path):
    expected = from_folder(folder).train
    (folder / "train/ant/b.ppm").rename(tmp_path / "moved.ppm")
    (folder / "train/ant/b.ppm").symlink_to(tmp_path / "moved.ppm")
    (tmp_path / "link").symlink_to(folder)
    images = from_folder(tmp_path / "link").train
    assert images.ids.tolist() == expected.ids.tolist()
    assert np.array_equal(images.pixels[:], expected.pixels[:])
