import numpy as np
import torch
from hypothesis import given
from torch import nn

from tests.pruning.masked import Attention, layers
from winnow.networks import build
from winnow.params.training import Network
from winnow.pruning import masks
from winnow.storage import load_tensors, save_tensors


def test_weights_of_convolutions_and_linear_layers_are_prunable():
    network = build(Network(name="convnet", width=2), 3, (3, 8, 8))
    assert masks.prunable(network) == ["0.weight", "4.weight", "8.weight", "13.weight"]
    resnet = build(Network(name="resnet20"), 10, (3, 32, 32))
    names = masks.prunable(resnet)
    assert len(names) == 19 + 2 + 1  # with two projections
    weights = sum(resnet.get_parameter(name).numel() for name in names)
    # He et al. 2016, table 6, have 0.27 M weights; by hand: the stem, three stages, their projections, the last layer
    assert weights == 432 + 6 * 2304 + 4608 + 5 * 9216 + 18432 + 5 * 36864 + 512 + 2048 + 640
    assert masks.prunable(nn.Sequential(nn.Conv1d(1, 1, 1), nn.Conv3d(1, 1, 1))) == ["0.weight", "1.weight"]


def test_attention_is_linear_layers_and_embeddings_are_not():
    assert masks.prunable(Attention()) == [
        "linear.weight",
        "conv.weight",
        "attention.in_proj_weight",
        "attention.out_proj.weight",
    ]
    apart = nn.MultiheadAttention(4, 2, kdim=3, vdim=5)
    assert masks.prunable(apart) == ["q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"]


def test_the_prunable_weights_of_a_vision_transformer():
    from torchvision.models import VisionTransformer

    names = masks.prunable(VisionTransformer(8, 4, 2, 2, 8, 16))
    assert names[0] == "conv_proj.weight"
    assert names[-1] == "heads.head.weight"
    assert len(names) == 1 + 2 * 4 + 1
    assert all(name.endswith("weight") and "ln" not in name for name in names)


def test_the_mask_of_the_dense_network_leaves_everything():
    network = Attention()
    mask = masks.ones(network)
    assert list(mask) == masks.prunable(network)
    assert {name: layer.shape for name, layer in mask.items()} == {n: network.get_parameter(n).shape for n in mask}
    assert masks.density(mask) == 1


def test_counts_by_hand():
    mask = {"a": torch.tensor([[True, False], [False, False]]), "b": torch.tensor([[True, True, False, True]])}
    assert masks.layer_sizes(mask) == {"a": 4, "b": 4}
    assert masks.layer_counts(mask) == {"a": 1, "b": 3}
    assert masks.layer_densities(mask) == {"a": 0.25, "b": 0.75}
    assert (masks.count_left(mask), masks.density(mask)) == (4, 0.5)


def test_norms_and_biases_of_a_cut_block_do_not_count():
    mask = {"a": torch.tensor([[True, False]]), "a.bias": torch.zeros(3, dtype=torch.bool)}
    assert masks.layer_sizes(mask) == {"a": 2}
    assert masks.layer_counts(mask) == {"a": 1}
    assert masks.density(mask) == 0.5
    assert masks.weights_of(mask).keys() == {"a"}
    assert masks.others_of(mask).keys() == {"a.bias"}
    assert masks.is_nested(mask, masks.weights_of(mask))
    assert not masks.is_nested(masks.weights_of(mask), mask)  # which holds norms at zero too


@given(layers())
def test_applying_a_mask(drawn):
    weights, mask = drawn
    weights |= {"bias": torch.tensor([float("nan"), -1.0])}
    masked = masks.apply(weights, mask)
    assert list(masked) == list(weights)
    assert masked["bias"] is weights["bias"]
    for name, layer in mask.items():
        np.testing.assert_array_equal(masked[name][layer], weights[name][layer])
        assert not masked[name][~layer].view(torch.int32).any()  # not a bit set, so +0.0
        np.testing.assert_array_equal(masks.apply(masked, mask)[name], masked[name])


@given(layers())
def test_masks_come_back_from_a_file(tmp_path_factory, drawn):
    mask = drawn[1]
    path = tmp_path_factory.mktemp("mask") / "m.safetensors"
    save_tensors(path, masks.pack(mask) | {"other": np.zeros(3)})
    loaded = masks.unpack(load_tensors(path))
    assert loaded.keys() == mask.keys()
    for name, layer in mask.items():
        assert loaded[name].dtype == torch.bool
        assert torch.equal(loaded[name], layer)


def test_eight_weights_are_a_byte():
    packed = masks.pack({"a": torch.tensor([[True, False, False], [False, False, True], [True, True, True]])})
    assert packed["mask.a"].tolist() == [0b10000111, 0b10000000]
    assert packed["shape.a"].tolist() == [3, 3]


def test_nesting():
    some, fewer, others = (
        torch.tensor(kept) for kept in ([True, True, False], [True, False, False], [False] * 2 + [True])
    )
    assert masks.is_nested({"a": fewer}, {"a": some})
    assert masks.is_nested({"a": some}, {"a": some})
    assert not masks.is_nested({"a": some}, {"a": fewer})
    assert not masks.is_nested({"a": fewer, "b": others}, {"a": some, "b": some})
