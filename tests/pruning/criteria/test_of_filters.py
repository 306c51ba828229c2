"""Criteria of whole filters: cases by hand, naive loops, and filters in another order."""

import math

import pytest
import torch
from hypothesis import given as drawn
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor, nn
from torch.nn import functional

from tests.pruning.criteria.given import IMAGES, by_hand, context, half_square, random_mask, trained_like, two_layers
from winnow.autograd.spreads import relative_spreads
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.context import Context, batches_of
from winnow.pruning.criteria.batch_norm_scale import batch_norm_scale
from winnow.pruning.criteria.beta_rank import beta_rank
from winnow.pruning.criteria.filter_norm import filter_norm
from winnow.pruning.criteria.filter_taylor import filter_taylor
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


def test_taylor_of_filters_by_hand():
    """The hidden units are -1 and 3.5 and count -2 and -3.5 of the output, -5.5."""
    given = by_hand(two_layers(), torch.ones(1, 2), torch.zeros(1), half_square)
    scores = filter_taylor(given, batches=2, batch_size=1)
    assert scores["0.weight"].tolist() == [[11**2] * 2, [19.25**2] * 2]
    assert scores["1.weight"].tolist() == [[30.25**2] * 2]


@pytest.mark.parametrize("scaled", [True, False])
def test_taylor_of_filters_is_the_gradient_at_factors_of_the_outputs(scaled):
    """Factors behind batch norm, which autograd takes the gradient of; before it if it has no scale."""
    network = trained_like()
    if not scaled:
        for place, part in enumerate(network):
            if isinstance(part, nn.BatchNorm2d):
                network[place] = nn.BatchNorm2d(part.num_features, affine=False).eval()
                network[place].load_state_dict(part.state_dict(), strict=False)
    scores = filter_taylor(context(network), batches=3, batch_size=8)
    network = network.eval()
    parts, gates = list(network), {}
    for place, part in enumerate(parts):
        if f"{place}.weight" in scores:
            following = (parts[place + 1 :] or [part])[0]
            last = following if scaled and isinstance(following, nn.BatchNorm2d) else part
            gates[f"{place}.weight"] = gate = torch.ones(len(part.weight), device=IMAGES.device, requires_grad=True)
            last.register_forward_hook(
                lambda _module, _inputs, outputs, gate=gate: outputs * gate.view(-1, *[1] * (outputs.dim() - 2))
            )
    expected = {name: torch.zeros_like(gate) for name, gate in gates.items()}
    for inputs, labels in batches_of(IMAGES, 0)(3, 8):
        loss = functional.cross_entropy(network(inputs), labels)
        for name, gradient in zip(gates, torch.autograd.grad(loss, list(gates.values())), strict=True):
            expected[name] += gradient.square() / 3
    assert {name for name, found in expected.items() if found.max() > 0} == scores.keys()
    for name, found in scores.items():
        per_filter = found.flatten(1)
        assert torch.equal(per_filter, per_filter[:, :1].expand_as(per_filter))
        torch.testing.assert_close(per_filter[:, 0], expected[name], rtol=1e-3, atol=1e-8)


def test_beta_rank_by_hand():
    """Two images, (0, 0) and (2, 4), of deviation sqrt(11/4); the outputs deviate by 1, 2 and 3, the norms are 1, 1 and
    2: the products are as 1, 2 and 6."""
    network = nn.Linear(2, 3)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    images = torch.tensor([[0.0, 0.0], [2.0, 4.0]])
    assert relative_spreads(network, images)["weight"].tolist() == pytest.approx(
        [k / math.sqrt(11 / 4) for k in (1, 2, 3)]
    )
    found = beta_rank(by_hand(network, images, torch.zeros(2, dtype=torch.long), functional.cross_entropy))["weight"]
    assert found.flatten().tolist() == pytest.approx([0, 0, 0.2, 0.2, 1, 1])
    assert beta_rank(layer_of_zeros(images))["weight"].tolist() == [[1, 1]] * 2  # no filter is better than another


def layer_of_zeros(images: Tensor) -> Context:
    network = nn.Linear(2, 2)
    nn.init.zeros_(network.weight)
    return by_hand(network, images, torch.zeros(len(images), dtype=torch.long), functional.cross_entropy)


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": (0, 2)}, {"groups": 2, "padding": "same"}],
)
def test_the_spread_of_outputs_and_inputs_against_patches(options):
    """The paper's code takes channels for columns, which gives other numbers: kernels here are 3 x 2."""
    torch.manual_seed(0)
    network = nn.Conv2d(4, 6, (3, 2), **options)
    images = torch.randn(5, 4, 7, 6) * torch.rand(4, 7, 6) + torch.rand(4, 7, 6)
    groups, padding = network.groups, network.padding
    if padding == "same":
        images_padded, padding = functional.pad(images, (0, 1, 1, 1)), 0
    else:
        images_padded = images
    patches = functional.unfold(images_padded, (3, 2), network.dilation, padding, network.stride)  # [5, 4 * 6, places]
    outputs = network(images).detach().flatten(2)
    expected = []
    for out in range(6):
        rows = patches[:, out // (6 // groups) * (24 // groups) :][:, : 24 // groups].numpy()
        ratios = [outputs[:, out, k].numpy().std() / rows[:, :, k].std() for k in range(rows.shape[2])]
        expected.append(sum(ratios) / len(ratios))
    assert relative_spreads(network, images)["weight"].tolist() == pytest.approx(expected, rel=1e-5)


def test_inputs_that_do_not_vary_have_no_spread():
    network, images = nn.Conv2d(1, 2, 2), torch.full((9, 1, 3, 3), -0.4242)
    images[:, :, 2, 2] = torch.arange(9.0)[:, None]  # only the last of four positions sees it
    found = relative_spreads(network, images)["weight"]
    last = network(images)[:, :, 1, 1].double().std(0, correction=0)
    assert found.tolist() == pytest.approx((last / images[:, :, 1:, 1:].double().std(correction=0) / 4).tolist())


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
