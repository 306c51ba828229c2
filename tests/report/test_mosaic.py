import numpy as np
import pandas as pd
import pytest

from tests.report.figure_data import pictures
from winnow.analysis.extremes import extremes
from winnow.report.mosaic import mosaic_figures
from winnow.report.style import Style, save

pytestmark = pytest.mark.filterwarnings("error")


def draw(*, count=60, classes=3, per_class=2, style=None, shape=(1, 8, 8), name="class {}"):
    random = np.random.default_rng(0)
    names = [name.format(i) for i in range(classes)]
    scores = random.permutation(count) / count
    pixels = pictures(count, *shape)
    labels = np.arange(count) % classes
    table = pd.DataFrame({"label": labels, "id": [f"id{i}" for i in range(count)], "el2n": scores})
    figures = mosaic_figures(pixels, extremes(table, "el2n", per_class), names, "EL2N", style or Style())
    return figures, pixels, labels, scores


def test_images_shown_are_the_extremes_of_their_class():
    (figure,), pixels, labels, scores = draw()
    shown = [image.get_array() for image in figure.axes[0].images]
    expected = []
    for label in range(3):
        rising = sorted(np.flatnonzero(labels == label), key=lambda row: scores[row])
        expected += [*rising[:2], *rising[-2:]]
    assert len(shown) == len(expected)
    for image, row in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(image, pixels[row, 0])
    texts = [text.get_text() for text in figure.axes[0].texts]
    for row in expected:
        assert texts[texts.index(f"id{row}") + 1] == f"{scores[row]:.3f}"


def test_a_hundred_classes_are_five_figures():
    figures, *_ = draw(count=300, classes=100, style=Style(6))
    assert len(figures) == 5
    names = [
        text.get_text() for figure in figures for text in figure.axes[0].texts if text.get_text().startswith("class")
    ]
    assert names == [f"class {i}" for i in range(100)]
    assert [len(figure.axes[0].images) for figure in figures] == [60] * 5  # 1 easiest and 2 hardest of 3


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (3, 224, 160), (1, 20, 70)])
def test_images_of_any_shape_keep_it_and_stay_in_their_place(tmp_path, shape):
    (figure,), *_ = draw(shape=shape)
    left, right, bottom, top = figure.axes[0].images[0].get_extent()
    assert (bottom - top) / (right - left) == pytest.approx(shape[1] / shape[2])
    assert max(bottom - top, right - left) == pytest.approx(0.75)
    save(figure, tmp_path / "a.png", 50)


@pytest.mark.parametrize("size", [4.0, 9.0, 24.0])
def test_no_text_touches_another_or_leaves_the_figure(size):
    (figure,), *_ = draw(style=Style(size), per_class=3, name="a class with a {} very long name")
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    for number, box in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        assert not any(box.padded(-0.5).overlaps(other.padded(-0.5)) for other in boxes[number + 1 :])


def test_a_class_without_images_has_no_row():
    names = ["a", "empty", "b"]
    table = pd.DataFrame({"label": [0, 0, 2, 2], "id": list("wxyz"), "el2n": np.arange(4.0)})
    (figure,) = mosaic_figures(pictures(4), extremes(table, "el2n", 5), names, "EL2N", Style())
    assert "empty" not in [text.get_text() for text in figure.axes[0].texts]
    assert mosaic_figures(pictures(0), extremes(table.iloc[:0], "el2n", 5), names, "EL2N", Style()) == []


def test_other_numbers_of_channels_are_an_error():
    with pytest.raises(ValueError, match="2 channels"):
        draw(shape=(2, 8, 8))
