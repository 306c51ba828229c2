"""The recurrent networks against torch's own with the same weights, and what works with them."""

import pytest
import torch
from torch import nn

import winnow
from winnow.networks import build, initialise
from winnow.networks.recurrent import CELLS, Recurrent
from winnow.params.training import Network
from winnow.pruning.masks import prunable

SHAPE = (2, 5, 3)  # 5 rows of 2 channels of 3 columns
TORCHS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


@pytest.mark.parametrize("kind", sorted(CELLS))
def test_outputs_are_those_of_torchs_layer_with_the_same_weights(kind: str) -> None:
    network = initialise(Network(name=kind, width=7), 4, SHAPE, 0)
    assert isinstance(network, Recurrent)
    torchs = TORCHS[kind](6, 7, batch_first=True)
    names = {"weight_ih_l0": "row.weight", "bias_ih_l0": "row.bias"}
    names |= {"weight_hh_l0": "hidden.weight", "bias_hh_l0": "hidden.bias"}
    torchs.load_state_dict({own: network.state_dict()[name] for own, name in names.items()})
    images = torch.randn(3, *SHAPE)
    rows = torch.stack([torch.cat([image[0, row], image[1, row]]) for image in images for row in range(5)])
    found, _ = torchs(rows.view(3, 5, 6))
    torch.testing.assert_close(network(images), network.last(found[:, -1]))


@pytest.mark.parametrize("kind", sorted(CELLS))
def test_they_begin_as_torchs_own(kind: str) -> None:
    """Uniform between -1 and 1 over the root of the number of hidden units; the variance of that is a third of the
    bound squared."""
    network = build(Network(name=kind, width=100), 4, SHAPE)
    assert prunable(network) == ["row.weight", "hidden.weight", "last.weight"]
    weights = network.get_parameter("hidden.weight")
    assert weights.abs().max() <= 0.1
    assert weights.var().item() == pytest.approx(0.01 / 3, rel=0.05)
    assert build(Network(name=kind), 4, SHAPE).get_parameter("hidden.weight").shape[1] == 64


@pytest.mark.parametrize("layer", [nn.RNN(3, 4), nn.GRU(3, 4, num_layers=2), nn.LSTM(3, 4, bidirectional=True)])
def test_torchs_own_layers_have_prunable_weights_too(layer: nn.Module) -> None:
    matrices = [name for name, parameter in layer.named_parameters() if parameter.dim() == 2]
    assert len(matrices) in (2, 4)
    assert prunable(layer) == matrices


@pytest.mark.parametrize("kind", sorted(CELLS))
@pytest.mark.parametrize("criterion", ["magnitude", "snip", "grasp", "taylor", "hessian", "synflow"])
def test_criteria_of_gradients_prune_them(kind: str, criterion: str) -> None:
    network = initialise(Network(name=kind, width=6), 3, SHAPE, 1)
    batches = [(torch.randn(128, *SHAPE), torch.arange(128) % 3)]
    mask = winnow.prune(network, 0.6, criterion=criterion, loader=batches)
    left, size = sum(int(kept.sum()) for kept in mask.values()), sum(kept.numel() for kept in mask.values())
    assert left == round(0.4 * size)


@pytest.mark.parametrize("kind", sorted(CELLS))
def test_scores_of_single_images_say_what_they_do_not_cover(kind: str) -> None:
    network = initialise(Network(name=kind, width=6), 3, SHAPE, 1)
    batches = [(torch.randn(128, *SHAPE), torch.arange(128) % 3)]
    with pytest.raises(ValueError, match=r"layer hidden \(Linear\) is used more than once in a forward pass"):
        winnow.score(network, batches, "grand")


@pytest.mark.parametrize("kind", sorted(CELLS))
def test_they_run_in_bfloat16_as_on_a_gpu(kind: str) -> None:
    network = initialise(Network(name=kind, width=6), 3, SHAPE, 1)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(torch.randn(4, *SHAPE))
    assert found.dtype == torch.bfloat16
    assert found.isfinite().all()
