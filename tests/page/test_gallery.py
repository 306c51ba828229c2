"""Which images can be browsed, and their small versions."""

import base64
import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.page.made_up_page import CLASSES, scores
from winnow.page.gallery import MOST, PIXELS, Images, gallery, last_scores
from winnow.page.pictures import embedded, sprites


def images(count: int, side: int = 8) -> Images:
    pixels = np.arange(count * 3 * side * side, dtype=np.int64).reshape(count, 3, side, side).astype(np.uint8)
    return Images(scores(count), {"plain/000": "b"}, pixels, CLASSES, "made up")


def opened(uri: str) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_of_every_score_its_last_epoch_is_shown_and_el2n_first() -> None:
    table = scores(4).rename(columns={"random_mean": "a_mean"})
    assert list(last_scores(table).items()) == [
        ("EL2N, epoch 4", "el2n_epoch4_mean"), ("forgetting, epoch 4", "forgetting_epoch4_mean"), ("a", "a_mean"),
    ]  # fmt: skip


def test_a_small_set_has_the_highest_and_the_extremes_of_every_class() -> None:
    found = gallery(images(40))
    assert sorted(found["ids"]) == sorted(scores(40)["id"])
    assert found["of"] == 40
    assert found["sides"].count("easiest") == found["sides"].count("hardest") == 5 * len(CLASSES)


def test_a_large_set_has_a_bounded_list_with_the_highest_of_every_detector() -> None:
    found = gallery(images(5000))
    assert len(found["ids"]) <= MOST
    table = scores(5000)
    for name in ("el2n_epoch4_mean", "forgetting_epoch4_mean"):
        highest = table.sort_values(name, ascending=False, kind="stable")["id"].head(400)
        assert set(highest) <= set(found["ids"])
    assert len(found["sprites"]["sheets"]) == -(-len(found["ids"]) // 100)


def test_large_images_leave_room_for_fewer() -> None:
    found = gallery(images(600, side=100))
    assert len(found["ids"]) * 64 * 64 <= PIXELS < (len(found["ids"]) + 1) * 64 * 64


def test_scores_that_json_does_not_have_survive() -> None:
    table = scores(10)
    table.loc[3, "el2n_epoch4_mean"] = np.nan
    found = gallery(Images(table, {}, images(10).pixels, CLASSES, ""))
    json.dumps(found, allow_nan=False)
    assert found["scores"]["forgetting, epoch 4"][found["ids"].index("plain/000")] == "Infinity"
    assert found["scores"]["EL2N, epoch 4"][found["ids"].index(table["id"][3])] is None


def test_tiny_images_lie_on_the_sheet_pixel_by_pixel() -> None:
    made = images(130)
    found = sprites(made.pixels, [5, 129, 7, *range(120)], 64)
    assert (found.width, found.height, len(found.sheets)) == (8, 8, 2)
    sheet = np.asarray(opened(found.sheets[0]))
    np.testing.assert_array_equal(sheet[0:8, 8:16], made.pixels[129].transpose(1, 2, 0))
    np.testing.assert_array_equal(sheet[8:16, 0:8], made.pixels[7].transpose(1, 2, 0))
    second = np.asarray(opened(found.sheets[1]))
    np.testing.assert_array_equal(second[0:8, 0:8], made.pixels[97].transpose(1, 2, 0))


def test_grey_images_are_shown_grey() -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8)
    sheet = np.asarray(opened(sprites(pixels, [0], 64).sheets[0]))
    np.testing.assert_array_equal(sheet[:8, :8], np.repeat(pixels[0, 0][:, :, None], 3, axis=2))


def test_a_drawing_keeps_its_colours_and_a_wide_one_becomes_narrower() -> None:
    drawing = Image.new("RGB", (3000, 100), "white")
    drawing.paste((0, 114, 178), (0, 0, 1500, 100))
    file = BytesIO()
    drawing.save(file, "PNG")
    found = embedded(file.getvalue())
    assert (found.width, found.height) == (1400, 47)
    shown = opened(found.uri).convert("RGB")
    assert shown.size == (1400, 47)
    assert (shown.getpixel((100, 20)), shown.getpixel((1300, 20))) == ((0, 114, 178), (255, 255, 255))


@pytest.mark.parametrize("photo", [True, False])
def test_photos_are_lossy_and_drawings_are_not(photo: bool) -> None:
    noise = np.random.default_rng(0).integers(0, 256 if photo else 4, (200, 200, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    shown = np.asarray(opened(embedded(file.getvalue()).uri).convert("RGB"))
    assert np.array_equal(shown, noise) != photo
