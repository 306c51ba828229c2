"""How many images there are, before download has run and after."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from winnow.cost.sizes import SOURCES, Sizes, sizes_of
from winnow.datasets.build import build
from winnow.datasets.images import save_dataset
from winnow.datasets.sources.digits import digits
from winnow.params.download import Download


def test_the_digits_are_as_the_table_says():
    source = digits(Download())
    found = SOURCES["digits"]
    assert (found.train, found.test) == (len(source.train), len(source.test))
    assert found.shape == source.train.pixels.shape[1:]
    assert found.classes == len(source.class_names)


@pytest.mark.parametrize(
    "options", [{}, {"first": 300, "first_test": 50}, {"size": [12, 10], "validation": 0.0}, {"long_tail": 10.0}]
)
def test_before_download_it_is_known_to_within_a_few_images(tmp_path: Path, options: dict[str, object]) -> None:
    params = Download.model_validate(options)
    expected = sizes_of(params, tmp_path / "none", current=False)
    save_dataset(tmp_path / "images", build(params), {})
    made = sizes_of(params, tmp_path / "images", current=True)
    assert made.shape == expected.shape
    assert (made.test, made.classes) == (expected.test, expected.classes)
    assert made.train == pytest.approx(expected.train, abs=15)
    assert made.validation == pytest.approx(expected.validation, abs=5)
    if not options:
        assert made == Sizes(1211, 136, 450, 10, (1, 8, 8))


def test_a_folder_of_images_is_counted(tmp_path: Path) -> None:
    for part, count in (("train", 4), ("test", 2)):
        for name in ("cat", "dog"):
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(np.zeros((6, 5, 3), np.uint8)).save(folder / f"{number}.png")
    params = Download(source="image_folder", path=str(tmp_path), validation=0.25)
    assert sizes_of(params, tmp_path / "none", current=False) == Sizes(6, 2, 4, 2, (3, 6, 5))


def test_what_only_download_can_say(tmp_path: Path, user_error) -> None:
    params = Download(source="parquet", path=str(tmp_path))
    with user_error("download.source: parquet: how many images there are is known only after dvc repro download"):
        sizes_of(params, tmp_path / "none", current=False)
