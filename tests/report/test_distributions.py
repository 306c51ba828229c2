import numpy as np
import pytest
from figure_data import scores
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.patches import Rectangle, StepPatch

from winnow.report.distributions import bin_edges, distributions_figure
from winnow.report.style import Style, save

pytestmark = pytest.mark.filterwarnings("error")


def panel(figure, title):
    return next(axes for axes in figure.axes if axes.get_title() == title)


def counted(axes):
    """Per histogram drawn: how many images its steps hold."""
    return [patch.get_data().values.sum() for patch in axes.patches if isinstance(patch, StepPatch)]


def never(axes):
    """Per bar of images never learned: how many it holds."""
    return [patch.get_y() + patch.get_height() for patch in axes.patches if isinstance(patch, Rectangle)]


def test_every_image_is_counted_once_in_every_panel():
    figure = distributions_figure(scores(), Style())
    assert [axes.get_title() for axes in figure.axes] == [
        *(f"{name}, epoch {epoch}" for name in ("EL2N", "forgetting", "margin") for epoch in (0, 2, 10)),
        "input norm",
        "random",
    ]
    for axes in figure.axes:
        assert sum(counted(axes)) + sum(never(axes)) == 200


def test_infinities_are_a_bar_named_never():
    figure = distributions_figure(scores(), Style())
    assert never(panel(figure, "forgetting, epoch 0")) == [200]
    assert never(panel(figure, "forgetting, epoch 10")) == [7]
    assert never(panel(figure, "EL2N, epoch 10")) == []
    for epoch in (0, 10):
        assert panel(figure, f"forgetting, epoch {epoch}").get_xticklabels()[-1].get_text() == "never"


def test_changed_labels_are_drawn_on_top():
    noisy = np.arange(200) % 10 == 3
    figure = distributions_figure(scores(), Style(), noisy)
    axes = panel(figure, "forgetting, epoch 2")
    assert never(axes) == [7, 1]  # of the first seven images only number 3
    assert counted(axes) == [193, 19]
    assert "label changed (20 images)" in [text.get_text() for text in figure.legends[0].get_texts()]
    without = distributions_figure(scores(), Style(), np.zeros(200, bool))
    assert [text.get_text() for text in without.legends[0].get_texts()] == ["all images"]


def test_missing_scores_are_told():
    table = scores()
    table.loc[:4, "el2n_epoch2_mean"] = np.nan
    axes = panel(distributions_figure(table, Style()), "EL2N, epoch 2")
    assert counted(axes) == [195]
    assert [text.get_text() for text in axes.texts] == ["5 without a score"]


def test_many_epochs_are_thinned_from_first_to_last():
    figure = distributions_figure(scores(epochs=range(0, 24)), Style(), most_epochs=4)
    shown = [axes.get_title() for axes in figure.axes if axes.get_title().startswith("EL2N")]
    assert shown == [f"EL2N, epoch {epoch}" for epoch in (0, 8, 15, 23)]
    assert "4 of 24" in figure.get_suptitle()


@pytest.mark.parametrize(
    "columns",
    [
        ["el2n_epoch2_mean"],
        ["forgetting_epoch0_mean"],
        ["random_mean", "input_norm_mean"],
        ["el2n_epoch2_mean", "random_mean"],
    ],
)
@pytest.mark.parametrize("size", [4.0, 20.0])
def test_odd_inputs_draw_without_a_warning(tmp_path, columns, size):
    save(distributions_figure(scores()[["id", *columns]], Style(size)), tmp_path / "a.png", 50)
    constant = scores()[columns].assign(**dict.fromkeys(columns, 3.0))
    save(distributions_figure(constant, Style(size), np.ones(200, bool)), tmp_path / "a.png", 50)


def test_no_score_is_an_error():
    with pytest.raises(ValueError, match="no score"):
        distributions_figure(scores()[["id", "label"]], Style())


@given(st.lists(st.floats(-1e3, 1e3), max_size=50).map(np.array))
def test_bins_hold_every_value(values):
    edges = bin_edges(values)
    assert (np.diff(edges) > 0).all()
    assert np.histogram(values, edges)[0].sum() == len(values)


def test_averages_of_few_counts_get_a_bin_each():
    values = np.array([0, 0.2, 0.2, 0.6, 1.0])
    edges = bin_edges(values)
    np.testing.assert_allclose(edges, [-0.1, 0.1, 0.3, 0.5, 0.7, 0.9, 1.1])
