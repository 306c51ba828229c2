import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.datasets.pictures import IMAGE_TYPE, encoded, picture, write_parquet
from winnow.datasets.build import build, read
from winnow.errors import UserError
from winnow.params.download import Download

LABELS = [1, 0, 2, 1, 0]
NAMES = ["dog", "cat", "eel"]  # not in the alphabet's order
PATHS = [f"{NAMES[label]}/{row:02d}.png" for row, label in enumerate(LABELS)]
IMAGES = [encoded(picture(row)) for row in range(5)]


def hub_metadata(names: list[str]) -> dict[bytes, bytes]:
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


def write_set(folder: Path, **options) -> Path:
    for part in ("train", "test"):
        write_parquet(folder / f"{part}.parquet", IMAGES, LABELS, **options)
    return folder


def from_parquet(folder: Path, **params):
    return read(Download(source="parquet", path=str(folder), **params))


def message(folder: Path, **params) -> str:
    with pytest.raises(UserError) as raised:
        build(Download(source="parquet", path=str(folder), validation=0.0, **params))
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("column", ["image", "img"])
def test_rows_become_images_in_their_order(tmp_path, column):
    source = from_parquet(write_set(tmp_path, paths=PATHS, column=column))
    for part, images in (("train", source.train), ("test", source.test)):
        assert images.labels.tolist() == LABELS
        assert images.labels.dtype == np.int64
        assert images.positions.tolist() == [0, 1, 2, 3, 4]
        assert images.ids.tolist() == [f"{part}/{path}" for path in PATHS]
        assert np.array_equal(images.pixels, np.stack([picture(row).transpose(2, 0, 1) for row in range(5)]))
    assert source.class_names == NAMES


@pytest.mark.parametrize("first", [1, 2, 3, 4, 6, 7])
def test_shards_are_read_in_order_and_only_as_far_as_needed(tmp_path, first):
    rows = [encoded(picture(row)) if row < first else b"damaged" for row in range(10)]
    for shard in (1, 0):
        write_parquet(tmp_path / f"train-{shard:05d}-of-00002.parquet", rows[5 * shard : 5 * shard + 5], LABELS)
    write_parquet(tmp_path / "test-00000-of-00001.parquet", IMAGES, LABELS)
    images = from_parquet(tmp_path, first=first).train
    expected = [picture(row).transpose(2, 0, 1) for row in range(first)]
    assert np.array_equal(images.pixels, np.stack(expected))
    assert images.ids.tolist() == [f"train/{row}" for row in range(first)]
    assert images.positions.tolist() == list(range(first))


@pytest.mark.parametrize("paths", [None, [*PATHS[:4], None], [*PATHS[:4], PATHS[1]]])
def test_ids_are_row_numbers_where_paths_are_missing_or_repeat(tmp_path, paths):
    folder = write_set(tmp_path, paths=paths)
    assert from_parquet(folder).train.ids.tolist() == [f"train/{row}" for row in range(5)]
    # so that an image keeps its id, all rows decide this and not only those in use
    assert from_parquet(folder, first=2).train.ids.tolist() == ["train/0", "train/1"]


def test_a_struct_without_path_is_enough(tmp_path):
    table = pa.table({"image": [{"bytes": data} for data in IMAGES], "label": pa.array(LABELS, pa.uint8())})
    for part in ("train", "test"):
        pq.write_table(table, tmp_path / f"{part}.parquet")
    source = from_parquet(tmp_path)
    assert source.train.ids.tolist() == [f"train/{row}" for row in range(5)]
    assert source.class_names == ["0", "1", "2"]


def test_class_names_of_the_hubs_metadata_come_first(tmp_path):
    folder = write_set(tmp_path, paths=PATHS, metadata=hub_metadata(["zero", "one", "two"]))
    assert from_parquet(folder).class_names == ["zero", "one", "two"]


@pytest.mark.parametrize(
    "metadata", [b"", b"[]", b'{"info": {"features": {"label": {"_type": "Value"}}}}', b'{"info": 1}']
)
def test_metadata_without_names_is_passed_over(tmp_path, metadata):
    assert from_parquet(write_set(tmp_path, paths=PATHS, metadata={b"huggingface": metadata})).class_names == NAMES


@pytest.mark.parametrize(
    "paths",
    [
        None,
        ["cat/1.png", "dog/1.png", "eel/1.png", "dog/2.png", "dog/3.png"],  # label 1 in two folders
        ["cat/1.png", "dog/1.png", "cat/2.png", "cat/3.png", "dog/2.png"],  # one folder for two labels
        ["1.png", "2.png", "3.png", "4.png", "5.png"],  # no folder
    ],
)
def test_class_names_are_the_labels_where_folders_do_not_name_them(tmp_path, paths):
    assert from_parquet(write_set(tmp_path, paths=paths)).class_names == ["0", "1", "2"]


def test_folders_of_the_test_part_must_agree_too(tmp_path):
    folder = write_set(tmp_path, paths=PATHS)
    swapped = [path.replace("cat", "x").replace("dog", "cat").replace("x", "dog") for path in PATHS]
    write_parquet(folder / "test.parquet", IMAGES, LABELS, paths=swapped)
    assert from_parquet(folder).class_names == ["0", "1", "2"]


def test_grey_and_sizes(tmp_path):
    grey = [encoded(picture(row, (4 + row, 9), grey=True), "jpeg") for row in range(5)]
    for part in ("train", "test"):
        write_parquet(tmp_path / f"{part}.parquet", grey, LABELS)
    text = message(tmp_path)
    assert text.startswith("download.size is needed")
    assert f"{tmp_path}/train.parquet row 0 is 4x9 pixels" in text
    assert f"{tmp_path}/train.parquet row 1 is 5x9" in text
    assert from_parquet(tmp_path, size=[6, 7]).train.pixels.shape == (5, 1, 6, 7)


def test_missing_files(tmp_path):
    assert message(tmp_path / "none").startswith(f"download.path: {tmp_path}/none: no such folder")
    text = message(tmp_path)
    assert text.startswith(f"{tmp_path}/train.parquet: no such file")
    assert "download.path" in text
    write_parquet(tmp_path / "train.parquet", IMAGES, LABELS)
    assert message(tmp_path).startswith(f"{tmp_path}/test.parquet: no such file")


@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.99])
def test_files_that_are_no_parquet_or_were_cut_off(tmp_path, fraction):
    file = write_set(tmp_path) / "test.parquet"
    file.write_bytes(file.read_bytes()[: int(fraction * file.stat().st_size)])
    assert message(tmp_path).startswith(f"{file}: not a readable parquet file (")


def test_a_folder_in_the_place_of_a_file(tmp_path):
    write_set(tmp_path)
    (tmp_path / "test.parquet").unlink()
    (tmp_path / "test.parquet").mkdir()
    assert message(tmp_path).startswith(f"{tmp_path}/test.parquet: not a readable parquet file (")


def test_image_data_damaged_inside_the_file(tmp_path):
    file = write_set(tmp_path) / "train.parquet"
    data = bytearray(file.read_bytes())
    start = data.find(IMAGES[1][:8])
    data[start - 12 : start + 40] = b"\xff" * 52
    file.write_bytes(bytes(data))
    assert message(tmp_path).startswith(f"{file}")


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"img": pa.array([], IMAGE_TYPE), "fine_label": pa.array([], pa.int64())}),
        pa.table({"pixels": pa.array([], IMAGE_TYPE), "label": pa.array([], pa.int64())}),
        pa.table({"image": pa.array([], pa.binary()), "label": pa.array([], pa.int64())}),
        pa.table({"image": pa.array([], IMAGE_TYPE), "label": pa.array([], pa.string())}),
        pa.table({"image": pa.array([], pa.struct([("path", pa.string())])), "label": pa.array([], pa.int64())}),
    ],
)
def test_other_columns(tmp_path, table):
    write_set(tmp_path)
    pq.write_table(table, tmp_path / "train.parquet")
    text = message(tmp_path)
    assert text.startswith(f"{tmp_path}/train.parquet: has the columns {table.column_names[0]} (")
    assert text.endswith("needed are image (or img; a struct with bytes and path) and label (whole numbers)")


def test_no_rows(tmp_path):
    write_set(tmp_path)
    write_parquet(tmp_path / "test.parquet", [], [])
    assert message(tmp_path).startswith(f"{tmp_path}/test.parquet: has no rows")


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (None, "the image is null"),
        (b"", "not an image"),
        (b"GIF89a", "not an image"),
        (IMAGES[3][:-40], "the image cannot be decoded"),
    ],
)
def test_a_damaged_image_is_told_by_file_and_row(tmp_path, bad, says):
    write_set(tmp_path)
    write_parquet(tmp_path / "train.parquet", [*IMAGES[:3], bad, IMAGES[4]], LABELS)
    assert message(tmp_path).startswith(f"{tmp_path}/train.parquet row 3: {says}")


@pytest.mark.parametrize(
    ("part", "labels", "says"),
    [
        ("train", [0, 1, None, 2, 0], "/train.parquet row 2: the label is null"),
        ("test", [0, 1, 2, 0, None], "/test.parquet row 4: the label is null"),
        ("train", [0, 1, 2, -1, 0], "/train.parquet row 3: the label is -1"),
        ("test", [-1] * 5, "/test.parquet row 0: the label is -1; labels go from 0 to 2"),
        ("test", [0, 1, 2, 3, 0], "/test.parquet row 3: the label is 3; labels go from 0 to 2"),
        ("train", [0, 1, 3, 1, 0], ": label 2 is a class with no image in the train part"),
        ("train", [1, 2, 1, 2, 1], ": label 0 is a class with no image in the train part"),
        ("train", [0, 1, 10**15, 1, 0], ": label 2 is a class with no image in the train part"),
    ],
)
def test_bad_labels(tmp_path, part, labels, says):
    write_set(tmp_path)
    write_parquet(tmp_path / f"{part}.parquet", IMAGES, labels)
    assert message(tmp_path).startswith(f"{tmp_path}{says}")


def test_labels_that_the_hubs_names_do_not_fit(tmp_path):
    write_set(tmp_path, metadata=hub_metadata(["a", "b"]))
    assert message(tmp_path).startswith(f"{tmp_path}/train.parquet row 2: the label is 2; labels go from 0 to 1")
    write_set(tmp_path, metadata=hub_metadata(["a", "b", "c", "d"]))
    assert message(tmp_path).startswith(f"{tmp_path}: label 3 ('d') is a class with no image in the train part")
    write_set(tmp_path, metadata=hub_metadata(["a", "b", "c"]))
    write_parquet(tmp_path / "test.parquet", IMAGES, LABELS, metadata=hub_metadata(["a", "c", "b"]))
    assert message(tmp_path).startswith(f"{tmp_path}/test.parquet: other class names than in {tmp_path}/train.parquet")


def test_the_first_images_of_the_real_cifar10():
    default = Path(__file__).parents[2] / "../shared/data/cifar10"
    folder = Path(os.environ.get("WINNOW_CIFAR10", default)).resolve()
    if not (folder / "train.parquet").exists():
        pytest.skip(f"no CIFAR-10 in {folder}; set WINNOW_CIFAR10 to a folder with train.parquet and test.parquet")
    dataset = build(Download(source="parquet", path=str(folder), first=300, first_test=200))
    assert dataset.class_names == [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ]
    assert [len(part) for part in dataset.splits.values()][2] == 200
    rows = pq.ParquetFile(folder / "train.parquet").read_row_group(0).slice(0, 300).to_pylist()
    for name in ("train", "validation"):
        part = dataset.splits[name]
        for position, key, label, pixels in zip(part.positions, part.ids, part.labels, part.pixels, strict=True):
            row = rows[position]
            assert key == f"train/{row['image']['path']}"
            assert key.split("/")[1] == dataset.class_names[label]
            assert row["label"] == label
            assert pixels.shape == (3, 32, 32)
    whole = np.asarray(Image.open(pa.BufferReader(rows[0]["image"]["bytes"])))
    first = next(part for part in dataset.splits.values() if part.ids[0] == f"train/{rows[0]['image']['path']}")
    assert np.array_equal(first.pixels[0], whole.transpose(2, 0, 1))
