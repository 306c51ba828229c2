import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import line
from winnow.analysis.ranks import Ranking, ranking
from winnow.report.critical_difference import critical_difference_figure
from winnow.report.style import Style, save

pytestmark = pytest.mark.filterwarnings("error")


def found(methods: int = 6, blocks: int = 30) -> Ranking:
    values = np.random.default_rng(0).normal(size=(blocks, methods)) + 0.4 * np.arange(methods)
    return ranking(pd.DataFrame(values, columns=["random", *(f"method{place}" for place in range(1, methods))]))


def test_every_method_stands_at_its_rank_and_a_bar_spans_each_clique() -> None:
    ranks = found()
    axes = critical_difference_figure(ranks, Style()).axes[0]
    for name, rank in ranks.ranks.items():
        assert line(axes, name).get_xdata()[0] == pytest.approx(rank)
    assert ranks.cliques
    for clique in ranks.cliques:
        assert line(axes, " ".join(clique)).get_xdata() == pytest.approx(ranks.ranks[[clique[0], clique[-1]]])
    low, high = line(axes, "critical difference").get_xdata()
    assert high - low == pytest.approx(ranks.critical)


def test_names_keep_to_the_picture_and_overlap_nothing() -> None:
    figure = critical_difference_figure(found(33, 40), Style())
    figure.canvas.draw()
    (axes,) = figure.axes
    boxes = [text.get_window_extent() for text in axes.texts if "  " in text.get_text().strip()]
    assert len(boxes) == 33
    for place, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])


@pytest.mark.parametrize(("methods", "blocks"), [(2, 1), (3, 2), (40, 3)])
@pytest.mark.parametrize("size", [4.0, 20.0])
def test_odd_inputs_draw_without_a_warning(tmp_path, methods, blocks, size) -> None:
    save(critical_difference_figure(found(methods, blocks), Style(size)), tmp_path / "a.png", 50)
