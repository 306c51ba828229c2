"""How far pruning moves what a network predicts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import rel_entr

from winnow.scores.cuts import of_cuts
from winnow.scores.of_cuts.compression_gap import compression_gap
from winnow.scores.seed_scores import NO_EPOCH
from winnow.storage import save_tensors

LOGITS = st.integers(1, 6).flatmap(
    lambda n: arrays(np.float64, (2, n, 3), elements=st.floats(-20, 20, allow_subnormal=False))
)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def divergence(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of Jensen and Shannon, from the probabilities [n, classes]."""
    middle = (one + other) / 2
    return (rel_entr(one, middle) + rel_entr(other, middle)).sum(axis=1) / 2


def test_by_hand():
    """The same: 0. Nothing in common: log 2. All on one class against an even chance of two: half of log 4/3, and half
    of half log 2 less half log 3/2, which is the same as log 2 - 3/4 log 3 + 1/4 log 2."""
    with np.errstate(divide="ignore"):
        dense = np.log([[0.25, 0.75], [1, 0], [1, 0]])
        cut = np.log([[0.25, 0.75], [0, 1], [0.5, 0.5]])
    expected = [0, np.log(2), 1.25 * np.log(2) - 0.75 * np.log(3) + 0.25 * np.log(2)]
    np.testing.assert_allclose(compression_gap(dense, cut), expected, atol=1e-15)


@given(LOGITS)
def test_it_is_the_divergence_of_jensen_and_shannon_whichever_network_comes_first(logits):
    dense, cut = log_softmax(logits)
    found = compression_gap(dense, cut)
    np.testing.assert_allclose(found, divergence(np.exp(dense), np.exp(cut)), atol=1e-9)
    np.testing.assert_allclose(found, compression_gap(cut, dense), atol=1e-12)
    assert ((found >= 0) & (found <= np.log(2) + 1e-12)).all()


def test_every_seed_has_the_mean_over_the_levels(tmp_path):
    rng = np.random.default_rng(0)
    dense, first, second = (log_softmax(rng.normal(size=(2, 5, 3))).astype(np.float32) for _ in range(3))
    levels = {tmp_path / "cut-a": first, tmp_path / "cut-b": second}
    for folder, cut in levels.items():
        for place, seed in enumerate((10, 9)):
            save_tensors(folder / f"seed{seed}.safetensors", {"dense": dense[place], "cut": cut[place]})
    found = of_cuts("compression_gap", list(levels))
    assert (found.seeds, found.epochs) == ([9, 10], [NO_EPOCH])
    for place, value in ((1, found.values[0, 0]), (0, found.values[1, 0])):
        both = [compression_gap(dense[place], cut[place]) for cut in (first, second)]
        np.testing.assert_allclose(value, np.mean(both, axis=0), rtol=1e-6)
