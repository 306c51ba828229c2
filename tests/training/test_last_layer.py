"""A trained network with a new last layer."""

import numpy as np
import pytest
import torch
from torch import nn

from winnow.networks import initialise
from winnow.params.training import Network
from winnow.training.last_layer import load_but_last

SHAPE = (1, 8, 8)


def states(old: nn.Module, new: nn.Module) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Before and after."""
    before = {name: tensor.clone() for name, tensor in new.state_dict().items()}
    load_but_last(new, {name: tensor.numpy() for name, tensor in old.state_dict().items()})
    return before, new.state_dict()


@pytest.mark.parametrize("classes", [3, 10])
@pytest.mark.parametrize("name", ["convnet", "resnet8", "lenet_300_100"])
def test_all_but_the_last_layer_is_the_old_networks(name, classes):
    old, new = initialise(Network(name=name), 10, SHAPE, 1), initialise(Network(name=name), classes, SHAPE, 2)
    before, after = states(old, new)
    changed = [key for key in after if not torch.equal(before[key], after[key])]
    kept = list(after)[-2:]  # weight and bias of the last layer, which these networks define last
    assert not set(kept) & set(changed)
    for key in after.keys() - set(kept):
        assert torch.equal(after[key], old.state_dict()[key])
    assert new(torch.zeros(2, *SHAPE)).shape == (2, classes)


def test_a_network_that_is_its_last_layer_keeps_all():
    old, new = nn.Linear(4, 2), nn.Linear(4, 3)
    before, after = states(old, new)
    assert all(torch.equal(before[key], after[key]) for key in after)


def test_what_does_not_fit_is_told():
    old, new = initialise(Network(width=8), 10, SHAPE, 1), initialise(Network(width=4), 10, SHAPE, 1)
    with pytest.raises(ValueError, match="differs in more than its last linear layer"):
        states(old, new)
    with pytest.raises(ValueError, match="no linear layer"):
        load_but_last(nn.Conv2d(1, 1, 1), {"weight": np.zeros((1, 1, 1, 1), np.float32)})
