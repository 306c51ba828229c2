import pytest
import torch

from tests.landscape.tiny import rectified, smooth, some_mask
from winnow.landscape.live import count, distance, gather, live_entries, scatter


def test_masked_entries_are_left_out_and_come_back_as_zeros():
    weights = {"a": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "b": torch.tensor([5.0])}
    live = {"a": torch.tensor([[True, False], [False, True]]), "b": torch.tensor([True])}
    assert gather(weights, live).tolist() == [1, 4, 5]
    assert count(live) == 3
    back = scatter(torch.tensor([1.0, 4.0, 5.0]), live)
    assert back["a"].tolist() == [[1, 0], [0, 4]]
    assert back["b"].tolist() == [5]


@pytest.mark.parametrize("make", [smooth, rectified])
def test_scatter_then_gather(make):
    network = make()
    live = live_entries(network, some_mask(network))
    vector = torch.randn(count(live))
    tensors = scatter(vector, live)
    assert torch.equal(gather(tensors, live), vector)
    assert all(not tensors[name][~entries].any() for name, entries in live.items())


def test_what_the_mask_does_not_name_is_live():
    network = rectified()
    mask = some_mask(network)
    live = live_entries(network, mask)
    assert list(live) == [name for name, _ in network.named_parameters()]
    assert all(entries.all() for name, entries in live.items() if name not in mask)
    assert all(torch.equal(live[name], mask[name]) for name in mask)


def test_frozen_parameters_are_not_live_unless_named():
    network = rectified()
    network.linear.weight.requires_grad_(False)
    assert "linear.weight" not in live_entries(network, {})
    assert list(live_entries(network, {}, ["linear.weight"])) == ["linear.weight"]


def test_distance_over_the_named_parameters():
    a = {"w": torch.tensor([1.0, 2.0]), "v": torch.tensor([[0.0]]), "other": torch.tensor(9.0)}
    b = {"w": torch.tensor([4.0, 2.0]), "v": torch.tensor([[4.0]]), "other": torch.tensor(0.0)}
    assert distance(a, b, ["w", "v"]) == 5
    assert distance(a, b, ["w"]) == 3
