"""How a cut is shared between layers: against cases by hand, and what holds of every allocation."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch.utils.flop_counter import FlopCounterMode

import winnow
from tests.pruning.masked import layers
from winnow import methods
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.allocations.by_hand import by_hand
from winnow.pruning.allocations.erk import erk
from winnow.pruning.allocations.erk_plus import erk_plus
from winnow.pruning.allocations.global_ import global_
from winnow.pruning.allocations.lamp import lamp, rescaled
from winnow.pruning.allocations.layerwise import layerwise
from winnow.pruning.allocations.multiplications import multiplications
from winnow.pruning.allocations.pq_index import bound, index, pq_index
from winnow.pruning.allocations.smart_ratio import smart_ratio
from winnow.pruning.allocations.uniform import uniform
from winnow.pruning.allocations.uniform_plus import uniform_plus
from winnow.pruning.families import ALLOCATIONS
from winnow.pruning.layers import Layer
from winnow.pruning.masks import count_left, is_nested, layer_counts, layer_densities, ones
from winnow.pruning.prune import floors, prune

CUTTING = [  # by their defaults
    name
    for name in methods.names(ALLOCATIONS)
    if name != "by_hand" and not methods.has_mark(methods.find(ALLOCATIONS, name), "ANYWHERE")
]
SHAPES = {"a": (16, 3, 3, 3), "b": (16, 16, 3, 3), "c": (10, 16)}


def full(shapes: dict[str, tuple[int, ...]]) -> dict[str, Layer]:
    return {name: Layer(shape, np.zeros(math.prod(shape))) for name, shape in shapes.items()}


@pytest.mark.parametrize("name", CUTTING)
@given(drawn=layers(), part=st.floats(0, 1), floor=st.integers(0, 4) | st.floats(0, 0.5))
def test_every_allocation_is_exact_nested_and_keeps_the_floor(name, drawn, part, floor):
    weights, mask = drawn
    scores = {layer: weight.abs() for layer, weight in weights.items()}
    least = floors(mask, floor)
    left = max(round(part * count_left(mask)), sum(least.values()))
    cut = prune(scores, mask, left, methods.find(ALLOCATIONS, name), floor)
    assert count_left(cut) == left
    assert is_nested(cut, mask)
    assert all(layer_counts(cut)[layer] >= least[layer] for layer in mask)
    for layer, kept in cut.items():  # of every layer the highest
        gone = mask[layer] & ~kept
        if gone.any() and kept.any():
            assert scores[layer][gone].max() <= scores[layer][kept].min()


@pytest.mark.parametrize("name", CUTTING)
@given(drawn=layers(), part=st.floats(0, 1))
def test_the_order_of_layers_does_not_matter(name, drawn, part):
    weights, mask = drawn
    scores = {layer: weight.abs() for layer, weight in weights.items()}
    left, allocation = round(part * count_left(mask)), methods.find(ALLOCATIONS, name)
    one, other = prune(scores, mask, left, allocation), prune(scores, dict(reversed(mask.items())), left, allocation)
    assert all(torch.equal(one[layer], other[layer]) for layer in mask)


def test_uniform_rounds_to_the_largest_remainders_by_name():
    sizes = {"c": (7,), "a": (7,), "b": (6,)}  # of 20, a half: 3.5, 3.5 and 3
    assert uniform(full(sizes), 10) == {"a": 4, "b": 3, "c": 3}
    assert uniform(full(sizes), 9) == {"a": 3, "b": 3, "c": 3}  # 3.15, 3.15, 2.7


def test_uniform_gives_what_a_layer_lacks_to_the_others():
    thin = {"a": Layer((10,), np.zeros(2)), "b": Layer((10,), np.zeros(10)), "c": Layer((10,), np.zeros(10))}
    assert uniform(thin, 12) == {"a": 2, "b": 5, "c": 5}
    least = {"a": Layer((10,), np.zeros(10), 8), "b": Layer((10,), np.zeros(10)), "c": Layer((10,), np.zeros(10))}
    assert uniform(least, 12) == {"a": 8, "b": 2, "c": 2}


def test_erk_by_hand():
    """eps (290 - 0) / 89 with sums of dimensions 25, 38, 26; at 0.3 the third is dense."""
    assert erk(full(SHAPES), 290) == {"a": 81, "b": 124, "c": 85}  # 81.46, 123.8, 84.7
    assert erk(full(SHAPES), 869) == {"a": 281, "b": 428, "c": 160}  # 281.3, 427.6, dense


def erk_as_published(shapes: dict[str, tuple[int, ...]], total: int) -> dict[str, float]:
    """Layers of a density above 1 become dense, one round after another."""
    dense: set[str] = set()
    while True:
        rest = [name for name in shapes if name not in dense]
        room = total - sum(math.prod(shapes[name]) for name in dense)
        eps = room / sum(sum(shapes[name]) for name in rest)
        over = {name for name in rest if eps * sum(shapes[name]) > math.prod(shapes[name])}
        if not over:
            return {name: float(math.prod(s)) if name in dense else eps * sum(s) for name, s in shapes.items()}
        dense |= over


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=3), min_size=1, max_size=5), st.floats(0.01, 1))
def test_erk_is_the_iteration_of_the_paper(dims, density):
    shapes = {f"{place}": tuple(dims) for place, dims in enumerate(dims)}
    total = max(1, int(density * sum(math.prod(shape) for shape in shapes.values())))
    found, exact = erk(full(shapes), total), erk_as_published(shapes, total)
    assert sum(found.values()) == total
    assert all(abs(found[name] - exact[name]) < 1 + 1e-6 for name in shapes)


def test_lamp_by_hand():
    np.testing.assert_allclose(rescaled(np.array([1.0, 2.0, 3.0])), [1 / 14, 4 / 13, 1])
    np.testing.assert_allclose(rescaled(np.array([2.0, 2.0])), [1 / 2, 1])
    both = {"a": Layer((3,), np.array([1.0, 2.0, 3.0])), "b": Layer((2,), np.array([2.0, 2.0]))}
    assert lamp(both, 3) == {"a": 1, "b": 2}


@given(hnp.arrays(np.float32, st.integers(1, 30), elements=st.floats(0, 8, width=32)))
def test_lamp_is_the_sum_over_what_is_not_lower_and_keeps_the_order(scores):
    found = rescaled(scores)
    # of equal scores the later are above the earlier
    above = [[(v, j) >= (u, i) for j, v in enumerate(scores)] for i, u in enumerate(scores)]
    squares = scores.astype(np.float64) ** 2
    expected = [square / sum_ if (sum_ := squares[above[i]].sum()) else 0.0 for i, square in enumerate(squares)]
    np.testing.assert_allclose(found, expected)
    np.testing.assert_array_equal(np.argsort(found, kind="stable"), np.argsort(scores, kind="stable"))


def test_lamp_empties_no_layer_before_all_have_one_weight_left():
    rng = np.random.default_rng(0)
    scales = {"a": 1e-6, "b": 1.0, "c": 1e3}
    both = {name: Layer((50,), scale * rng.random(50)) for name, scale in scales.items()}
    assert lamp(both, 3) == {"a": 1, "b": 1, "c": 1}


def test_lamp_refuses_scores_of_two_signs():
    with pytest.raises(ValueError, match=r"^allocation: lamp"):
        lamp({"a": Layer((2,), np.array([-1.0, 1.0]))}, 1)


RESNET = {  # in the network's order: a first convolution, two more, the linear layer
    "d": Layer((16, 3, 3, 3), np.zeros(432), place=0),
    "c": Layer((16, 16, 3, 3), np.zeros(2304), place=1),
    "b": Layer((32, 16, 3, 3), np.zeros(4608), place=2),
    "a": Layer((10, 32), np.zeros(320), place=3),
}


def test_layerwise_is_the_papers_on_lenet_level_by_level():
    """A fifth of every layer and a tenth of the last, to the nearest weight."""
    shapes = {"1": (300, 784), "3": (100, 300), "5": (10, 100)}
    left = {"1": 235_200, "3": 30_000, "5": 1000}
    for level in range(1, 21):
        layers = {name: Layer(shapes[name], np.zeros(count)) for name, count in left.items()}
        wanted = {"1": 235_200 * 0.8**level, "3": 30_000 * 0.8**level, "5": 1000 * 0.9**level}
        left = layerwise(layers, round(sum(wanted.values())))
        for name, count in left.items():
            assert count == pytest.approx(wanted[name], abs=1.5 * level**0.5), (level, name)


def test_layerwise_by_hand():
    layers = {"a": Layer((10, 10), np.zeros(100)), "b": Layer((10, 10), np.zeros(50))}
    assert layerwise(layers, 75, last=1) == {"a": 50, "b": 25}
    assert layerwise(layers, 75, last=0) == {"a": 25, "b": 50}
    assert layerwise(layers, 90) == {"a": 52, "b": 38}  # 48% of a, 24% of b
    assert layerwise(layers, 150) == {"a": 100, "b": 50}
    assert layerwise(layers, 10, last=0) == {"a": 0, "b": 10}  # a is gone, and the last layer makes up for it
    with pytest.raises(ValueError, match=r"last: must be from 0 to 1, not 1\.5"):
        layerwise(layers, 75, last=1.5)


def test_uniform_plus_by_hand():
    """Of 1000 weights, the first convolution has 432 and the linear layer 64; 504 are left for 6912."""
    assert uniform_plus(RESNET, 1000) == {"d": 432, "a": 64, "c": 168, "b": 336}
    # at a density above a fifth the linear layer is an ordinary one: 432 + 0.5 (2304 + 4608 + 320)
    assert uniform_plus(RESNET, 432 + 3616) == {"d": 432, "a": 160, "c": 1152, "b": 2304}


def test_uniform_plus_shares_a_total_that_is_too_small():
    assert uniform_plus(RESNET, 248) == {"d": 216, "a": 32, "c": 0, "b": 0}


def test_uniform_plus_without_a_convolution_spares_the_last_layer_only():
    linear = {"a": Layer((10, 10), np.zeros(100), place=0), "b": Layer((10, 10), np.zeros(100), place=1)}
    assert uniform_plus(linear, 30) == {"a": 10, "b": 20}


def test_erk_plus_is_erk_beside_a_dense_last_layer():
    assert erk_plus(RESNET, 1000)["a"] == 320
    rest = {name: layer for name, layer in RESNET.items() if name != "a"}
    assert {name: count for name, count in erk_plus(RESNET, 1000).items() if name != "a"} == erk(rest, 680)


def test_smart_ratio_by_hand():
    """Three convolutions of one size have densities as 12 : 6 : 2, and the last layer has 30 of 100."""
    same = {name: Layer((10, 10, 1, 1), np.zeros(100), place=place) for place, name in enumerate("zyx")}
    same["a"] = Layer((10, 10), np.zeros(100), place=3)
    assert smart_ratio(same, 130) == {"z": 60, "y": 30, "x": 10, "a": 30}
    # of 230: 120, 60 and 20, of which the first can keep 100 and hands 20 to the second
    assert smart_ratio(same, 230) == {"z": 100, "y": 80, "x": 20, "a": 30}
    # of 270 for vgg: 12, 6/4 and 2/9; scale 240 / (12 + 1.5 + 0.222): 209.9, 26.2, 3.9
    assert smart_ratio(same, 270, vgg=True) == {"z": 100, "y": 100, "x": 40, "a": 30}


def test_pq_index_by_hand():
    cases = {(1.0, 1.0, 1.0, 1.0): (0, 4), (1.0, 0.0, 0.0, 0.0): (0.75, 1), (4.0, 1.0, 1.0, 1.0): (0.107143, 3.571429)}
    for scores, (expected, least) in cases.items():
        assert index(np.array(scores), 0.5, 1) == pytest.approx(expected, abs=1e-6)
        assert bound(np.array(scores), 0.5, 1) == pytest.approx(least, abs=1e-6)
    both = {"a": Layer((4,), np.array([1.0, 0.0, 0.0, 0.0])), "b": Layer((4,), np.ones(4))}
    assert pq_index(both, 5) == {"a": 1, "b": 4}


@given(hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(0.01, 9)), st.floats(0.1, 1), st.floats(1.1, 3))
def test_the_pq_index_is_the_ratio_of_norms_whatever_the_scale(scores, p, q):
    d = len(scores)
    plain = 1 - d ** (1 / q - 1 / p) * (scores**p).sum() ** (1 / p) / (scores**q).sum() ** (1 / q)
    assert index(scores, p, q) == pytest.approx(plain, abs=1e-9)
    assert index(1e30 * scores, p, q) == pytest.approx(plain, abs=1e-9)
    assert 0 < bound(scores, p, q) <= d * (1 + 1e-9)


def test_pq_index_refuses_what_it_cannot_take():
    with pytest.raises(ValueError, match=r"^allocation: pq_index"):
        pq_index({"a": Layer((2,), np.array([-1.0, 1.0]))}, 1)
    with pytest.raises(ValueError, match=r"^p: 1 must be below q, 1"):
        pq_index({"a": Layer((2,), np.ones(2))}, 1, p=1.0)


def test_by_hand():
    assert by_hand(RESNET, 1000, densities={"d": 0.5, "a": 1}) == {"d": 216, "a": 320, "c": 155, "b": 309}
    every = dict.fromkeys(RESNET, 0.5)
    assert by_hand(RESNET, 3832, densities=every) == {"d": 216, "c": 1152, "b": 2304, "a": 160}
    thin = {"a": Layer((10,), np.zeros(3)), "b": Layer((10,), np.zeros(10), 2)}
    assert by_hand(thin, 8, densities={"a": 0.5}) == {"a": 3, "b": 5}


@pytest.mark.parametrize(
    ("densities", "total", "message"),
    [
        ({"e": 0.5}, 9, r"^densities.e: there is no such layer; there are d, c, b, a"),
        ({"a": 1.5}, 9, r"^densities.a: must be from 0 to 1, not 1.5"),
        ({"a": 1}, 9, r"^densities: these layers keep 320 weights, and the others from 0 to 7344, but 9 should remain"),
        (dict.fromkeys(RESNET, 0.5), 3000, r"^densities: these layers keep 3832 weights, and the others from 0 to 0"),
    ],
)
def test_densities_by_hand_that_cannot_be_are_told(densities, total, message):
    with pytest.raises(ValueError, match=message):
        by_hand(RESNET, total, densities=densities)


# As many multiplications as weights


def used(shapes: dict[str, tuple[int, ...]], uses: dict[str, float], seed: int = 0) -> dict[str, Layer]:
    rng = np.random.default_rng(seed)
    return {
        name: Layer(shape, np.abs(rng.normal(size=math.prod(shape))), uses=uses[name]) for name, shape in shapes.items()
    }


def test_multiplications_by_hand():
    """Half of 8 weights, and half of 4 x 9 + 4 = 40 multiplications: two of each layer. ``global`` keeps 36 of them."""
    high = {"a": Layer((4,), np.array([5.0, 6, 7, 8]), uses=9), "b": Layer((4,), np.array([1.0, 2, 3, 4]), uses=1)}
    assert global_(high, 4) == {"a": 4, "b": 0}
    assert multiplications(high, 4) == {"a": 2, "b": 2}


@given(st.data(), st.integers(0, 100), st.floats(0.02, 1))
def test_multiplications_fall_by_the_fraction_of_the_weights(data, seed, part):
    uses = {name: data.draw(st.sampled_from([1, 16, 64, 1024])) for name in SHAPES}
    layers = used(SHAPES, uses, seed)
    if data.draw(st.booleans()):  # few different scores, so that many are equal
        layers = {name: replace(layer, scores=np.ceil(layer.scores)) for name, layer in layers.items()}
    size = sum(len(layer.scores) for layer in layers.values())
    total = round(part * size)
    counts = multiplications(layers, total)
    dense = sum(len(layer.scores) * layer.uses for layer in layers.values())
    left = sum(count * uses[name] for name, count in counts.items())
    assert sum(counts.values()) == total
    assert abs(left - dense * total / size) <= sum(uses.values())  # a weight of each layer


def test_weights_that_are_used_alike_are_ranked_as_by_global():
    layers = used(SHAPES, dict.fromkeys(SHAPES, 64.0))
    assert multiplications(layers, 900) == global_(layers, 900)


@pytest.mark.parametrize("name", ["resnet8", "convnet"])
def test_a_network_keeps_as_large_a_part_of_its_multiplications_as_torch_counts_them(name):
    """torch counts an addition for every multiplication, in each module."""
    network = initialise(Network(name=name, width=4), 10, (3, 32, 32), 0)
    images, mask = torch.randn(2, 3, 32, 32), ones(network)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(images)
    found, above = counter.get_flop_counts(), type(network).__name__
    flops = {layer: sum(found[f"{above}.{layer.removesuffix('.weight')}"].values()) for layer in mask}
    dense = {layer: count / 2 / len(images) for layer, count in flops.items()}
    kept = winnow.prune(network, 0.8, allocation="multiplications", loader=[(images, torch.tensor([0, 1]))])
    left = sum(dense[layer] * density for layer, density in layer_densities(kept).items())
    assert abs(left - 0.2 * sum(dense.values())) < 2 * 32 * 32  # two weights of a convolution of the whole image
    assert count_left(kept) == round(0.2 * count_left(mask))
    plain = winnow.prune(initialise(Network(name=name, width=4), 10, (3, 32, 32), 0), 0.8)
    assert sum(dense[layer] * density for layer, density in layer_densities(plain).items()) > 1.3 * left
