import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.pruning.masked import cut_smallest, layers
from winnow.pruning.masks import count_left, layer_counts
from winnow.tickets.magnitudes import EDGES, cut_threshold, histogram, hole


def test_by_hand():
    weights = {"a": torch.tensor([[0.0, -0.05, 0.1, -0.5, 1.0, 7.0, 0.3]]), "b": torch.tensor([[-0.2]])}
    mask = {"a": torch.tensor([[True] * 6 + [False]]), "b": torch.tensor([[True]]), "c": torch.tensor([False])}
    counts = histogram(weights, mask, np.array([0.09, 0.4, 1.0]))
    assert {name: layer.tolist() for name, layer in counts.items()} == {"a": [2, 1, 1, 2], "b": [0, 1, 0, 0]}


def test_the_edges_are_tenths_of_decades():
    np.testing.assert_allclose(EDGES[[0, 1, 10, 60, 70]], [1e-6, 10**-5.9, 1e-5, 1, 10])


@given(layers())
def test_every_weight_left_is_counted_once(drawn):
    weights, mask = drawn
    counts = histogram(weights, mask)
    assert {name: layer.sum() for name, layer in counts.items()} == layer_counts(mask)
    # numpy's own histogram, whose last bin has both its edges
    left = np.concatenate([np.abs(weights[name].numpy()[mask[name].numpy()]) for name in mask])
    inside = left[(left >= EDGES[0]) & (left < EDGES[-1])]
    np.testing.assert_array_equal(sum(counts.values())[1:-1], np.histogram(inside, EDGES)[0])


@given(layers(), st.floats(0, 0.9))
def test_there_is_a_hole_right_after_a_cut(drawn, fraction):
    weights, mask = drawn
    cut = cut_smallest(weights, mask, fraction)
    threshold = cut_threshold(weights, mask, cut)
    if count_left(cut):
        assert hole(weights, cut, threshold) == 0
    if count_left(cut) == count_left(mask):
        assert threshold == 0


def test_new_small_weights_fill_the_hole():
    weights = {"a": torch.tensor([[0.1, -0.2, 0.3, -0.4, 0.5]]), "b": torch.tensor([[0.25]])}
    mask = {name: torch.ones(layer.shape, dtype=torch.bool) for name, layer in weights.items()}
    cut = cut_smallest(weights, mask, 1 / 3)
    threshold = cut_threshold(weights, mask, cut)
    assert threshold == pytest.approx(0.2)
    retrained = {"a": torch.tensor([[0.0, 0.0, -0.15, -0.4, 0.01]]), "b": torch.tensor([[0.7]])}
    assert hole(retrained, cut, threshold) == 0.5  # two of four
    assert np.isnan(hole(retrained, {name: ~layer for name, layer in mask.items()}, threshold))


def test_what_a_floor_spares_is_in_the_hole():
    weights = {"a": torch.tensor([[0.01, 0.02]]), "b": torch.tensor([[0.1, 0.2, 0.3]])}
    mask = {name: torch.ones(layer.shape, dtype=torch.bool) for name, layer in weights.items()}
    cut = cut_smallest(weights, mask, 0.4, floor=1)
    assert hole(weights, cut, cut_threshold(weights, mask, cut)) == pytest.approx(1 / 3)
