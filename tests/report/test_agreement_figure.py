import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import labels, line
from winnow.report.agreement import agreement_figure, plane_figure
from winnow.report.style import Style, save

pytestmark = pytest.mark.filterwarnings("error")


def table(seeds: int = 10) -> pd.DataFrame:
    rows = [
        (reference, last, score, epoch, 0.1 * i)
        for reference, last in (("forgetting", 8), ("input_norm", -1))
        for i, (score, epoch) in enumerate([("el2n", 0), ("el2n", 8), ("grand", 0), ("grand", 8), ("random", -1)])
    ]
    found = pd.DataFrame(rows, columns=["reference", "reference_epoch", "score", "epoch", "spearman"])
    reach = 0.05 if seeds > 1 else np.nan
    return found.assign(low=found["spearman"] - reach, high=found["spearman"] + reach, seeds=seeds)


def test_each_reference_has_a_panel_with_a_line_for_each_score():
    left, right = agreement_figure(table(), Style()).axes
    assert left.get_ylabel() == "Rank correlation with forgetting after epoch 8"
    assert right.get_ylabel() == "Rank correlation with input norm"
    for axes in (left, right):
        np.testing.assert_allclose(line(axes, "EL2N").get_xdata(), [0, 8])
        np.testing.assert_allclose(line(axes, "GraNd").get_ydata(), [0.2, 0.3])
        np.testing.assert_allclose(line(axes, "random").get_ydata(), 0.4)
    assert len(left.collections) == 2  # the bands of the lines
    assert [patch.get_bbox().y0 for patch in left.patches] == pytest.approx([0.35])


def test_one_seed_has_no_band():
    figure = agreement_figure(table(seeds=1), Style())
    assert "no interval" in figure.get_suptitle()
    assert [len(axes.collections) + len(axes.patches) for axes in figure.axes] == [0, 0]


def test_one_reference_is_enough_and_none_is_an_error(tmp_path):
    rows = table()
    figure = agreement_figure(rows[rows["reference"] == "input_norm"], Style(20.0))
    save(figure, tmp_path / "a.png", 50)
    assert "EL2N" in labels(figure.axes[0])
    with pytest.raises(ValueError, match="no rank correlations"):
        agreement_figure(rows.iloc[:0], Style())


def test_every_image_is_in_a_cell_of_the_plane(tmp_path):
    values = pd.DataFrame(np.random.default_rng(0).normal(size=(500, 2)), columns=["a", "b"])
    values.loc[:9, "b"] = np.inf
    figure = plane_figure(values, ("Norm", "GraNd"), "0.10 [0.00, 0.20]", Style())
    axes = figure.axes[0]
    assert axes.collections[0].get_array().sum() == 490
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Norm", "GraNd")
    assert "0.10 [0.00, 0.20]" in axes.get_title("left")
    save(figure, tmp_path / "a.png", 50)
    for few in (values.iloc[10:11], values.iloc[:9]):  # one image; and none that is finite
        save(plane_figure(few, ("Norm", "GraNd"), "nan", Style(20.0)), tmp_path / "a.png", 50)
