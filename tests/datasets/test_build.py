"""What is made of any source; the sources are tested on their own."""

import numpy as np
import pytest
from PIL import Image

import winnow.datasets.build
import winnow.datasets.images
import winnow.params.download
from winnow.datasets.build import Source, build, in_channels, read
from winnow.datasets.images import Images, load_facts, load_pixels, load_split, save_dataset
from winnow.datasets.statistics import channel_statistics
from winnow.errors import UserError
from winnow.params.download import Download
from winnow.storage import load_table


def images(part: str, labels: list[int], shape: tuple[int, ...] = (3, 4, 5), seed: int = 0) -> Images:
    pixels = np.random.default_rng(seed).integers(256, size=(len(labels), *shape), dtype=np.uint8)
    ids = np.array([f"{part}/{row}" for row in range(len(labels))])
    return Images(pixels, np.array(labels, dtype=np.int64), ids, np.arange(len(labels)))


@pytest.fixture
def given_source(monkeypatch):
    def give(train: Images, test: Images, class_names: tuple[str, ...] = ("cat", "dog")) -> None:
        monkeypatch.setattr(winnow.datasets.build, "read", lambda params: Source(train, test, list(class_names)))

    return give


def message(**params) -> str:
    with pytest.raises(UserError) as raised:
        build(Download(**params))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_the_parts_are_those_of_the_source(given_source):
    train, test = images("train", [0, 1] * 10), images("test", [1, 0, 1])
    given_source(train, test)
    dataset = build(Download(validation=0.2))
    parts = dataset.splits
    assert [len(parts[name]) for name in ("train", "validation", "test")] == [16, 4, 3]
    assert np.bincount(parts["validation"].labels).tolist() == [2, 2]
    assert set(parts["train"].ids) | set(parts["validation"].ids) == set(train.ids)
    for name in ("train", "validation"):
        for row, position in enumerate(parts[name].positions):
            assert parts[name].ids[row] == train.ids[position]
            assert parts[name].labels[row] == train.labels[position]
            assert np.array_equal(parts[name].pixels[row], train.pixels[position])
    assert np.array_equal(parts["test"].pixels, test.pixels)
    assert dataset.class_names == ["cat", "dog"]


def test_mean_and_deviation_are_of_the_training_part_alone():
    dataset = build(Download(validation=0.5))
    pixels = dataset.splits["train"].pixels[:] / 255
    assert dataset.mean == pytest.approx(pixels.mean(axis=(0, 2, 3)).tolist(), rel=1e-12)
    assert dataset.std == pytest.approx(pixels.std(axis=(0, 2, 3)).tolist(), rel=1e-12)


def test_statistics_of_more_images_than_are_counted_at_a_time(monkeypatch):
    monkeypatch.setattr(winnow.datasets.images, "CHUNK_BYTES", 7 * 60)  # seven images
    pixels = images("train", [0] * 250).pixels
    mean, std = channel_statistics(pixels)
    assert mean == pytest.approx((pixels / 255).mean(axis=(0, 2, 3)).tolist(), rel=1e-12)
    assert std == pytest.approx((pixels / 255).std(axis=(0, 2, 3)).tolist(), rel=1e-12)


def test_a_channel_without_contrast_can_be_divided_by_its_deviation():
    pixels = images("train", [0] * 4).pixels
    pixels[:, 1] = 7
    mean, std = channel_statistics(pixels)
    assert mean[1] == pytest.approx(7 / 255)
    assert std[1] == 1
    assert std[0] < 0.5


def test_an_image_keeps_its_id_whatever_else_is_used():
    whole = build(Download(validation=0.0)).splits["train"]
    by_id = dict(zip(whole.ids, whole.pixels, strict=True))
    some = build(Download(validation=0.3, first=500, first_test=20, seed=5))
    assert len(some.splits["test"]) == 20
    assert len(some.splits["train"]) + len(some.splits["validation"]) == 500
    for name in ("train", "validation"):
        part = some.splits[name]
        assert all(np.array_equal(by_id[key], pixels) for key, pixels in zip(part.ids, part.pixels, strict=True))
    first = {*some.splits["train"].positions, *some.splits["validation"].positions}
    assert first == set(whole.positions[:500])


def test_pixels_that_are_not_files_are_resized_as_files_are():
    small = build(Download(size=[5, 6], validation=0.0, first=30))
    old = read(Download()).train.pixels[:]
    assert small.splits["train"].pixels.shape == (30, 1, 5, 6)
    assert small.splits["test"].pixels.shape[1:] == (1, 5, 6)
    for row in range(30):
        expected = Image.fromarray(old[row, 0]).resize((6, 5), Image.Resampling.BILINEAR)
        assert np.array_equal(small.splits["train"].pixels[row][0], np.asarray(expected))


def test_coloured_pixels_are_resized_channel_by_channel(given_source):
    train, test = images("train", [0, 1], (3, 8, 8)), images("test", [0, 1], (3, 8, 8))
    given_source(train, test)
    small = build(Download(size=[4, 3], validation=0.0)).splits["train"].pixels[:]
    assert small.shape == (2, 3, 4, 3)
    for channel in range(3):
        expected = Image.fromarray(train.pixels[1, channel]).resize((3, 4), Image.Resampling.BILINEAR)
        assert np.array_equal(small[1, channel], np.asarray(expected))


@pytest.mark.parametrize("coloured", ["train", "test"])
def test_grey_images_become_colour_if_the_other_set_is(given_source, coloured):
    train = images("train", [0, 1], (3 if coloured == "train" else 1, 4, 4))
    test = images("test", [0, 1], (3 if coloured == "test" else 1, 4, 4))
    given_source(train, test)
    parts = build(Download(validation=0.0)).splits
    assert parts["train"].pixels.shape == parts["test"].pixels.shape == (2, 3, 4, 4)
    grey, old = (parts["test"], test) if coloured == "train" else (parts["train"], train)
    assert all(np.array_equal(grey.pixels[:][:, channel], old.pixels[:, 0]) for channel in range(3))


def test_a_data_set_gets_the_channels_of_another(given_source):
    train, test = images("train", [0, 1], (1, 4, 4)), images("test", [0, 1], (1, 4, 4))
    given_source(train, test)
    grey = build(Download(validation=0.0))
    coloured = in_channels(grey, 3)
    for part, old in (("train", train), ("test", test)):
        np.testing.assert_array_equal(coloured.splits[part].pixels[:], np.repeat(old.pixels, 3, axis=1))
    np.testing.assert_allclose((coloured.mean, coloured.std), channel_statistics(coloured.splits["train"].pixels))
    assert in_channels(grey, 1) is grey
    with pytest.raises(ValueError, match="in colour"):
        in_channels(coloured, 1)


def test_a_built_data_set_is_saved_and_read_back(tmp_path):
    dataset = build(Download(validation=0.0, first=50, first_test=10))
    save_dataset(tmp_path / "data", dataset, {"source": "digits"})
    for name, part in dataset.splits.items():
        again = load_split(tmp_path / "data", name)
        assert np.array_equal(again.pixels, part.pixels[:])
        assert np.array_equal(again.labels, part.labels)
        table = load_table(tmp_path / "data" / f"{name}.parquet")
        assert table["id"].tolist() == part.ids.tolist()
        assert table["position"].tolist() == part.positions.tolist()
    assert load_facts(tmp_path / "data")["images"] == {"train": 50, "validation": 0, "test": 10}


def test_the_parts_are_rows_of_what_was_read(given_source, monkeypatch, tmp_path):
    """No pixel is copied before it is written, in whatever chunks; nor are grey images that become colour."""
    train, test = images("train", [0, 1] * 50, (1, 4, 4)), images("test", [1, 0], (3, 4, 4))
    given_source(train, test)
    dataset = build(Download(validation=0.3))
    for name in ("train", "validation"):
        assert np.shares_memory(dataset.splits[name].pixels.array, train.pixels)
    for count in (0, 1, 3, 100):
        monkeypatch.setattr(winnow.datasets.images, "CHUNK_BYTES", count * 48)
        save_dataset(tmp_path / str(count), dataset, {})
    for path in (tmp_path / "0").iterdir():
        assert len({(folder / path.name).read_bytes() for folder in tmp_path.iterdir()}) == 1
    part = dataset.splits["train"]
    assert load_pixels(tmp_path / "0", "train").tolist() == train.pixels[part.positions].repeat(3, axis=1).tolist()


def test_a_subset_of_a_subset():
    train = images("train", [0, 1] * 5)
    some = train.take(np.array([7, 2, 2, 9])).take(np.array([True, False, True, True]))
    assert len(some) == 3
    assert some.pixels.shape == (3, 3, 4, 5)
    assert np.array_equal(some.pixels[:], train.pixels[[7, 2, 9]])
    assert np.array_equal(some.pixels[1], train.pixels[2])
    assert some.labels.tolist() == [1, 0, 1]
    assert some.ids.tolist() == ["train/7", "train/2", "train/9"]
    assert some.positions.tolist() == [7, 2, 9]


def test_more_images_than_there_are():
    assert message(first=9999) == "download.first: 9999 is more than the 1347 training images in digits"
    assert message(first_test=9999) == "download.first_test: 9999 is more than the 450 test images in digits"


def test_classes_without_a_training_image(given_source):
    text = message(first=3)
    assert text.startswith("download.first: ")
    assert "is a class with no image among the first 3 of digits" in text
    given_source(images("train", [0, 1, 1]), images("test", [0, 1]))
    text = message(validation=0.9)
    assert text.startswith("download.validation: 0.9 leaves 'cat' a class with no image")
    given_source(images("train", [0, 0]), images("test", [0, 1]))
    assert message() == "download.source: digits: 'dog' is a class with no image to train on"


def test_sets_that_differ_in_size(given_source):
    given_source(images("train", [0, 1], (3, 4, 5)), images("test", [0, 1], (3, 6, 7)))
    text = message()
    assert text.startswith("download.size is needed")
    assert "train/0 is 4x5 pixels" in text
    assert "test/0 is 6x7" in text


def test_a_long_tail_leaves_out_training_images_alone():
    whole, tail = (build(Download(validation=0.2, long_tail=factor)) for factor in (None, 20.0))
    for name in ("validation", "test"):
        assert np.array_equal(whole.splits[name].ids, tail.splits[name].ids)
    before, after = (np.bincount(dataset.splits["train"].labels) for dataset in (whole, tail))
    assert after[0] == pytest.approx(20 * after[9], abs=20)
    assert np.all(after <= before)
    assert set(tail.splits["train"].ids) < set(whole.splits["train"].ids)
    assert tail.mean == pytest.approx((tail.splits["train"].pixels[:] / 255).mean(axis=(0, 2, 3)).tolist(), rel=1e-12)


def test_a_tail_that_leaves_no_image_of_a_class_is_an_error():
    assert message(long_tail=9999.0) == (
        "download.long_tail: 9999 leaves '5' a class with no image to train on; lower it"
    )
