"""Criteria of whole filters: cases by hand, naive loops, and filters in another order."""

import math

import pytest
import torch
from hypothesis import given as drawn
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn

from tests.pruning.criteria.given import IMAGES, context, random_mask, trained_like
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.context import Context
from winnow.pruning.criteria.batch_norm_scale import batch_norm_scale
from winnow.pruning.criteria.filter_norm import filter_norm
from winnow.pruning.criteria.fpgm import distances, fpgm
from winnow.pruning.masks import ones


def layer(rows: list[list[float]]) -> Context:
    network = nn.Linear(len(rows[0]), len(rows), bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.tensor(rows))
    return Context(network, ones(network), lambda count, size: [])


def test_the_norm_of_a_filter_by_hand():
    given = layer([[3.0, -4.0], [0.0, 1.0]])
    assert filter_norm(given)["weight"].tolist() == [[7, 7], [1, 1]]
    assert filter_norm(given, norm="l2")["weight"].tolist() == [[5, 5], [1, 1]]


def test_distances_to_the_other_filters_by_hand():
    """Squares in place of distances would make the first three equal: 20, 8 and 20 of (-1, 1, 3), not 6, 4 and 6."""
    assert fpgm(layer([[-1.0], [1.0], [3.0]]))["weight"].flatten().tolist() == [6, 4, 6]
    assert fpgm(layer([[0.0], [1.0], [10.0]]))["weight"].flatten().tolist() == [11, 10, 19]
    assert fpgm(layer([[3.0, 0.0], [0.0, 4.0], [3.0, 0.0]]))["weight"].tolist() == [[5, 5], [10, 10], [5, 5]]


def test_against_naive_loops():
    network = trained_like()
    mask = random_mask(network)
    name, weight = "4.weight", network.get_parameter("4.weight")
    mask[name][1] = False
    given = context(network, mask=mask)
    filters = [row.flatten().tolist() for row in weight]
    norms, medians = filter_norm(given)[name], fpgm(given)[name]
    for i, row in enumerate(filters):
        assert norms[i].flatten().tolist() == pytest.approx([sum(abs(w) for w in row)] * len(row))
        alive = [filters[j] for j in range(len(filters)) if j != 1]
        expected = 0 if i == 1 else sum(math.dist(row, other) for other in alive)
        assert medians[i].flatten().tolist() == pytest.approx([expected] * len(row))


@drawn(
    hnp.arrays("float32", st.tuples(st.integers(1, 7), st.integers(1, 4)), elements=st.floats(-3, 3, width=32)),
    st.randoms(use_true_random=False),
)
def test_filters_in_another_order_have_the_same_scores(rows, shuffled):
    order = shuffled.sample(range(len(rows)), len(rows))
    for criterion in (filter_norm, fpgm):
        one, other = (criterion(layer(given.tolist()))["weight"][:, 0] for given in (rows, rows[order]))
        torch.testing.assert_close(one[order], other, rtol=1e-5, atol=1e-5)


@drawn(hnp.arrays("float64", st.tuples(st.integers(1, 40), st.integers(1, 5)), elements=st.floats(-3, 3)))
def test_distances_of_many_filters(rows):
    expected = [sum(math.dist(row, other) for other in rows) for row in rows]
    assert distances(torch.from_numpy(rows)).tolist() == pytest.approx(expected, rel=1e-6, abs=1e-5)


def test_the_scale_of_batch_norm_is_that_of_the_layer_before():
    network = initialise(Network(name="resnet8", width=4), 3, IMAGES.shape, 3)
    norms = {  # by hand, from the forward pass
        "conv": "bn", **{f"blocks.{i}.conv{k}": f"blocks.{i}.bn{k}" for i in range(3) for k in (1, 2)},
        "blocks.1.shortcut.0": "blocks.1.shortcut.1", "blocks.2.shortcut.0": "blocks.2.shortcut.1",
    }  # fmt: skip
    with torch.no_grad():
        for norm in norms.values():
            network.get_submodule(norm).weight.normal_()
    scores = batch_norm_scale(context(network))
    assert scores.keys() == {f"{conv}.weight" for conv in norms} | {"linear.weight"}
    for conv, norm in norms.items():
        found, scale = scores[f"{conv}.weight"].flatten(1), network.get_submodule(norm).weight.detach().abs()
        assert torch.equal(found, scale[:, None].expand_as(found))
    highest = max(float(network.get_submodule(norm).weight.detach().abs().max()) for norm in norms.values())
    assert scores["linear.weight"].unique().tolist() == [highest]


def test_a_network_without_batch_norm_is_told():
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3))
    with pytest.raises(ValueError, match=r"^criterion: batch_norm_scale finds no layer with a batch norm after it"):
        batch_norm_scale(context(network))
