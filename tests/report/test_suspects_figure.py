import numpy as np
import pytest

from tests.report.figure_data import pictures, suspects
from winnow.report.style import Style, save
from winnow.report.suspects import suspects_figure

pytestmark = pytest.mark.filterwarnings("error")


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_every_suspect_has_its_picture_labels_and_score():
    pixels = pictures(8, 3, 5, 5)
    table = suspects(8).assign(id=[f"im{i}" for i in range(8)], given="cat", predicted=[f"dog{i}" for i in range(8)])
    figure = suspects_figure(pixels, table, Style())
    for place, image in enumerate(figure.axes[0].images):
        np.testing.assert_array_equal(image.get_array(), pixels[place].transpose(1, 2, 0))
        lines = texts(figure)[1 + 4 * place : 5 + 4 * place]
        el2n = table["el2n"][place]
        assert lines == [f"{place + 1}: im{place}", "given: cat", f"predicted: dog{place}", f"EL2N {el2n:.2f} ± 0.01"]


def test_one_seed_has_no_error():
    figure = suspects_figure(pictures(2), suspects(2, stderr=np.nan), Style())
    assert not any("±" in text or "nan" in text for text in texts(figure))


def test_long_names_lose_their_middle_only():
    first, given, predicted, _ = texts(suspects_figure(pictures(1), suspects(1), Style()))[1:]
    assert first.startswith("1: tra") and first.endswith("000000.jpeg") and "…" in first
    assert given.startswith("given: auto") and given.endswith("trailer")
    assert predicted == "predicted: $car_{1}$", "no name is taken for a formula"


@pytest.mark.parametrize("size", [4.0, 9.0, 24.0])
def test_no_text_touches_another_or_leaves_the_figure(size):
    figure = suspects_figure(pictures(7), suspects(7), Style(size))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    for number, box in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        assert not any(box.padded(-0.5).overlaps(other.padded(-0.5)) for other in boxes[number + 1 :])


@pytest.mark.parametrize("count", [0, 1, 100])
def test_any_number_draws_without_a_warning(tmp_path, count):
    save(suspects_figure(pictures(count), suspects(count), Style()), tmp_path / "a.png", 50)


def test_as_many_images_as_suspects():
    with pytest.raises(ValueError, match="3 images for 2 suspects"):
        suspects_figure(pictures(3), suspects(2), Style())
