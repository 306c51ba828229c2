from collections.abc import Sequence

import numpy as np
import pytest

from tests.report.drawn import legend, line
from winnow.analysis.detection import detection_curves, detection_table
from winnow.report.detection import detection_figure
from winnow.report.style import Style, save
from winnow.scores.seed_scores import NO_EPOCH, SeedScores

pytestmark = pytest.mark.filterwarnings("error")


def tables(
    names: Sequence[str] = ("el2n", "random"), epochs: Sequence[int] = (0, 2, 4), seeds: int = 3, strength: float = 2.0
):
    """Scores of 200 images, a fifth of them labelled wrongly: they tell more the later the epoch, and less unseen."""
    rng = np.random.default_rng(0)
    wrong = np.arange(200) % 5 == 0

    def made(name: str, strength: float) -> SeedScores:
        own = [NO_EPOCH] if name == "random" else list(epochs)
        signal = [strength * max(epoch, 0) * wrong for epoch in own]
        return SeedScores(np.float32(rng.normal(size=(seeds, len(own), 200)) + signal), list(range(seeds)), own)

    scores = {"in": {name: made(name, strength) for name in names}, "out": {"el2n": made("el2n", strength / 4)}}
    return detection_table(wrong, scores), detection_curves(wrong, scores, epochs[-1])


def test_lines_are_those_of_the_mean_over_all_seeds():
    table, curves = tables()
    left, right = detection_figure(table, curves, Style()).axes
    for name, sample, detector in (("EL2N", "in", "el2n"), ("EL2N, unseen", "out", "el2n")):
        rows = table[(table["detector"] == detector) & (table["sample"] == sample) & (table["seeds"] == 3)]
        np.testing.assert_array_equal(line(right, name).get_xdata(), [0, 2, 4])
        np.testing.assert_allclose(line(right, name).get_ydata(), rows["auroc"].clip(1e-4, 0.9999))
        points = curves[(curves["detector"] == detector) & (curves["sample"] == sample)]
        np.testing.assert_allclose(line(left, name).get_xdata(), 100 * points["recall"])
        np.testing.assert_allclose(line(left, name).get_ydata(), 100 * points["precision"])


def test_scores_without_an_epoch_and_chance_are_level():
    table, curves = tables()
    figure = detection_figure(table, curves, Style())
    left, right = figure.axes
    auroc = table[(table["detector"] == "random") & (table["seeds"] == 3)]["auroc"].item()
    assert set(line(right, "random").get_ydata()) == {auroc}
    assert [float(drawn.get_ydata()[0]) for drawn in (left.lines[-1], right.lines[-1])] == [20, 0.5]
    assert legend(figure) == ["EL2N", "random", "EL2N, unseen", "chance"]
    assert left.get_title("left").startswith("20% of the labels are wrong; mean score over 3 seeds")


def test_every_value_is_in_view():
    for strength in (0, 2.0, 20.0, -2.0):  # of the strongest all wrong labels are above all others, an area of 1
        table, curves = tables(strength=strength)
        axes = detection_figure(table, curves, Style()).axes[1]
        low, high = axes.get_ylim()
        for drawn in axes.lines:
            assert low < np.min(drawn.get_ydata()) <= np.max(drawn.get_ydata()) < high


@pytest.mark.parametrize("size", [4.0, 20.0])
@pytest.mark.parametrize(
    "given",
    [
        {"seeds": 1, "epochs": [0]},
        {"names": ["random"]},
        {"names": ["el2n", "confident_learning", "loss", "margin", "aum", "grand", "forgetting", "a_name_of_its_own"]},
        {"epochs": range(1, 60)},
    ],
)
def test_odd_inputs_draw_without_a_warning(tmp_path, given, size):
    save(detection_figure(*tables(**given), Style(size)), tmp_path / "a.png", 50)
