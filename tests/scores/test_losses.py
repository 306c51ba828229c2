"""Scores of the losses at visits: data maps, Dyn-Unc and DUAL."""

import statistics
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from winnow.scores.of_losses.confidence import confidence
from winnow.scores.of_losses.dual import dual
from winnow.scores.of_losses.dyn_unc import dyn_unc
from winnow.scores.of_losses.variability import variability
from winnow.scores.windows import mean_over_windows, window

NAN = np.nan
TOY = -np.log(np.array([[0.2], [0.4], [0.6], [0.8]]))
values = st.just(np.float32(NAN)) | st.floats(0, 8, width=32)
losses = hnp.arrays(np.float32, st.tuples(st.integers(0, 30), st.integers(1, 3)), elements=values)


def test_confidence_by_hand():
    losses = -np.log(np.array([[0.5, NAN, 1], [0.25, 0.5, NAN]]))
    np.testing.assert_allclose(confidence(losses), [[-0.5, 0, -1], [-0.375, -0.5, -1]])


def test_variability_by_hand():
    """Of .2, .4, .6 and .8 the mean is .5, and the squares are .09, .01, .01 and .09: 0.05 in the mean."""
    np.testing.assert_allclose(variability(TOY)[:, 0], [0, 0.1, np.sqrt(0.08 / 3), np.sqrt(0.05)], rtol=1e-6)


@given(losses)
def test_variability_is_the_deviation_that_the_standard_library_finds(losses):
    found = variability(losses)
    for image in range(losses.shape[1]):
        for epoch in range(len(losses)):
            seen = [float(p) for p in np.exp(-losses[: epoch + 1, image].astype(float)) if not np.isnan(p)]
            assert found[epoch, image] == pytest.approx(statistics.pstdev(seen) if seen else 0, abs=1e-6)


def test_windows_by_hand():
    """The windows (.2, .4, .6) and (.4, .6, .8) deviate by .2 each, around .4 and .6."""
    both = [lambda deviation, mean: deviation, lambda deviation, mean: deviation * (1 - mean)]
    found = [mean_over_windows(TOY, score, lambda epochs: 3)[-1, 0] for score in both]
    assert found == pytest.approx([0.2, 0.1])


def by_definition(losses: np.ndarray, image: int, epochs: int) -> tuple[float, float]:
    """Dyn-Unc and DUAL of one image after so many epochs, window by window."""
    size = min(10, max(2, epochs // 2))
    found = []
    for first in range(epochs - size + 1):
        part = [float(np.exp(-float(loss))) for loss in losses[first : first + size, image]]
        seen = [p for p in part if not np.isnan(p)]
        if len(seen) > 1:
            deviation = statistics.stdev(seen)
            found.append((deviation, deviation * (1 - statistics.fmean(seen))))
    return tuple(map(statistics.fmean, zip(*found, strict=True))) if found else (0, 0)


@given(losses)
def test_dyn_unc_and_dual_against_their_definitions(losses):
    found = dyn_unc(losses), dual(losses)
    for epochs in range(1, len(losses) + 1):
        for image in range(losses.shape[1]):
            expected = by_definition(losses, image, epochs)
            assert [score[epochs - 1, image] for score in found] == pytest.approx(expected, abs=1e-6)


@given(losses, st.randoms(use_true_random=False))
def test_permuting_the_images_permutes_the_scores(losses, random):
    order = random.sample(range(losses.shape[1]), losses.shape[1])
    for score in (variability, dyn_unc, dual):
        np.testing.assert_allclose(score(losses[:, order]), score(losses)[:, order], atol=1e-6)


def test_a_probability_that_stays_has_no_variability():
    losses = np.full((25, 2), -np.log(0.3))
    for score in (variability, dyn_unc, dual):
        np.testing.assert_allclose(score(losses), 0, atol=1e-12)


def test_windows_grow_to_ten_epochs():
    sizes = [window(epochs) for epochs in range(1, 40)]
    assert [sizes[epochs - 1] for epochs in (1, 2, 5, 6, 19, 20, 39)] == [2, 2, 2, 3, 9, 10, 10]
    assert all(0 <= later - earlier <= 1 for earlier, later in pairwise(sizes))
