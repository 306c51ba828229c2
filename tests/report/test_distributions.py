import numpy as np
import pytest
from matplotlib.patches import Rectangle, StepPatch

from tests.report.drawn import legend
from tests.report.figure_data import histograms, scores
from winnow.report.distributions import distributions_figure
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
    figure = distributions_figure(histograms(scores()), Style())
    assert [axes.get_title() for axes in figure.axes] == [
        *(f"{name}, epoch {epoch}" for name in ("EL2N", "forgetting", "margin") for epoch in (0, 2, 10)),
        "input norm",
        "random",
    ]
    for axes in figure.axes:
        assert sum(counted(axes)) + sum(never(axes)) == 200


def test_infinities_are_a_bar_named_never():
    figure = distributions_figure(histograms(scores()), Style())
    assert never(panel(figure, "forgetting, epoch 0")) == [200]
    assert never(panel(figure, "forgetting, epoch 10")) == [7]
    assert never(panel(figure, "EL2N, epoch 10")) == []
    for epoch in (0, 10):
        assert panel(figure, f"forgetting, epoch {epoch}").get_xticklabels()[-1].get_text() == "never"


def test_images_with_a_changed_label_and_the_others_are_percentages_of_their_own():
    noisy = np.arange(200) % 10 == 3
    figure = distributions_figure(histograms(scores(), noisy), Style())
    for axes in figure.axes:
        assert len(counted(axes)) == 2
        assert sum(counted(axes)) + sum(never(axes)) == pytest.approx(200)
    axes = panel(figure, "forgetting, epoch 2")
    assert never(axes) == pytest.approx([100 * 6 / 180, 100 * 1 / 20])  # of the first seven images only number 3
    assert legend(figure) == ["label not changed (180 images)", "label changed (20 images)"]
    assert "% of each group" in figure.get_supylabel()
    without = distributions_figure(histograms(scores(), np.zeros(200, bool)), Style())
    assert legend(without) == ["all images"]
    assert "%" not in without.get_supylabel()


def test_missing_scores_are_told():
    table = scores()
    table.loc[:4, "el2n_epoch2_mean"] = np.nan
    axes = panel(distributions_figure(histograms(table), Style()), "EL2N, epoch 2")
    assert counted(axes) == [195]
    assert [text.get_text() for text in axes.texts] == ["5 without a score"]


def test_many_epochs_are_thinned_from_first_to_last():
    figure = distributions_figure(histograms(scores(epochs=range(0, 24))), Style())
    shown = [axes.get_title() for axes in figure.axes if axes.get_title().startswith("EL2N")]
    assert shown == [f"EL2N, epoch {epoch}" for epoch in (0, 5, 9, 14, 18, 23)]
    assert "6 of 24" in figure.get_suptitle()


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
    table = scores()[["label", "true_label", *columns]]
    save(distributions_figure(histograms(table), Style(size)), tmp_path / "a.png", 50)
    constant = table.assign(**dict.fromkeys(columns, 3.0))
    save(distributions_figure(histograms(constant, np.ones(200, bool)), Style(size)), tmp_path / "a.png", 50)


def test_no_score_is_an_error():
    with pytest.raises(ValueError, match="no score"):
        distributions_figure(histograms(scores()).iloc[:0], Style())
