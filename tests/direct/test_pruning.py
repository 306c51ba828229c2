"""Pruning a user's own network, and holding the mask in a user's own loop."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

import winnow
from tests.direct.own import Own, data
from winnow.pruning.context import Context

X, Y = data().tensors
NAMES = ["first.weight", "last.weight"]


def test_the_smallest_weights_are_pruned_over_all_layers_together():
    network = Own()
    before = copy.deepcopy(network.state_dict())
    mask = winnow.prune(network, 0.4)
    assert list(mask) == NAMES
    magnitudes = torch.cat([before[name].abs().flatten() for name in NAMES])
    threshold = magnitudes.sort().values[round(0.4 * 50) - 1]
    for name, tensor in network.state_dict().items():
        expected = torch.where(before[name].abs() > threshold, before[name], 0.0) if name in NAMES else before[name]
        assert torch.equal(tensor, expected)
        assert name not in NAMES or torch.equal(mask[name], tensor != 0)
    assert winnow.density(mask) == pytest.approx(0.6)


def test_a_second_level_prunes_what_the_first_left():
    network = Own()
    first = winnow.prune(network, 0.5)
    second = winnow.prune(network, 0.2, first)
    assert winnow.density(second) == pytest.approx(0.4)
    assert all((first[name] | ~second[name]).all() for name in NAMES)


def test_any_criterion_and_allocation():
    network = Own().eval()
    before = copy.deepcopy(network.state_dict())
    loader = DataLoader(data(), batch_size=7)
    mask = winnow.prune(network, 0.5, None, "snip", loader, batches=2, batch_size=10)
    copied = Own().train()
    copied.load_state_dict(before)
    with torch.random.fork_rng():
        gradients = Context(copied, mask, lambda *_: [(X[:10], Y[:10]), (X[10:20], Y[10:20])]).gradients(2, 10)
    scores = torch.cat([(before[name] * gradients[name]).abs().flatten() for name in NAMES])
    kept = torch.cat([mask[name].flatten() for name in NAMES])
    assert scores[kept].min() >= scores[~kept].max()
    mask = winnow.prune(Own(), 0.5, allocation="uniform", floor=2)
    assert all(mask[name].sum() == mask[name].numel() / 2 for name in NAMES)
    masks = [winnow.prune(Own(), 0.5, None, "random", seed=seed) for seed in (1, 1, 2)]
    assert torch.equal(masks[0][NAMES[0]], masks[1][NAMES[0]])
    assert not torch.equal(masks[0][NAMES[0]], masks[2][NAMES[0]])


def train(network: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 5) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(network(X), Y).backward()
        optimizer.step()


def sgd(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, weight_decay=1e-2)


def adam(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters(), 0.1)


@pytest.mark.parametrize("make", [sgd, adam])
def test_pruned_weights_stay_zero_and_the_others_train_as_with_a_mask_of_torchs_own(make):
    torch.manual_seed(0)
    network = Own().eval()  # without dropout
    other = copy.deepcopy(network)
    optimizer = make(network)
    train(network, optimizer)
    train(other, other_optimizer := make(other))
    mask = winnow.prune(network, 0.5)
    winnow.hold(network, mask, optimizer)
    for _ in range(5):  # by hand: zero before the gradient is taken, and after each step
        for name in NAMES:
            other.get_parameter(name).data.mul_(mask[name])
        train(other, other_optimizer, 1)
    train(network, optimizer)
    for name in NAMES:
        weight = network.get_parameter(name)
        assert (weight[~mask[name]] == 0).all()
        torch.testing.assert_close(weight[mask[name]], other.get_parameter(name)[mask[name]])


def test_holding_ends_when_it_is_removed():
    network = Own().eval()
    optimizer = sgd(network)
    mask = winnow.prune(network, 0.5)
    with winnow.hold(network, mask, optimizer):
        train(network, optimizer)
        assert winnow.density({name: network.get_parameter(name) != 0 for name in NAMES}) <= 0.5
    train(network, optimizer)
    assert winnow.density({name: network.get_parameter(name) != 0 for name in NAMES}) > 0.9


def test_rewinding_gives_the_saved_weights_under_the_mask():
    network = Own()
    saved = copy.deepcopy(network.state_dict())
    train(network, sgd(network))
    mask = winnow.prune(network, 0.5)
    winnow.rewind(network, saved, mask)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, saved[name] * mask[name] if name in mask else saved[name])
    assert (saved["first.weight"] != 0).all()  # the saved state is left as it was


def test_mistakes_name_the_argument():
    network = Own()
    mask = winnow.prune(network, 0.5)
    with pytest.raises(ValueError, match=r"fraction: 1.5: must be from 0 to 1"):
        winnow.prune(network, 1.5)
    with pytest.raises(ValueError, match=r"fraction: 0.9 leaves fewer weights than each of 2 layers keeps \(5\)"):
        winnow.prune(network, 0.9, floor=5)
    with pytest.raises(ValueError, match=r"criterion: there is no 'size'; there are .*magnitude, .*random"):
        winnow.prune(network, 0.5, None, "size")
    with pytest.raises(ValueError, match=r"allocation: there is no 'everywhere'"):
        winnow.prune(network, 0.5, allocation="everywhere")
    with pytest.raises(ValueError, match=r"allocation: of_parent takes no fraction"):
        winnow.prune(network, 0.5, allocation="of_parent")
    with pytest.raises(ValueError, match=r"loader: must be given"):
        winnow.prune(network, 0.5, None, "snip")
    with pytest.raises(ValueError, match=r"loader: gives 23 examples; 3 x 128 are asked for"):
        winnow.prune(network, 0.5, None, "snip", DataLoader(data(), 8), batches=3)
    with pytest.raises(ValueError, match=r"batch: no such key; did you mean batches\?"):
        winnow.prune(network, 0.5, None, "snip", DataLoader(data(), 8), batch=3)
    with pytest.raises(ValueError, match=r"mask: bn.wait"):
        winnow.hold(network, {"bn.wait": torch.ones(5, dtype=torch.bool)}, sgd(network))
    with pytest.raises(ValueError, match=r"mask: first.weight \(torch.float32 \[5, 6\]\)"):
        winnow.prune(network, 0.1, {"first.weight": torch.ones(5, 6)})
    with pytest.raises(ValueError, match=r"state: does not fit the network: it lacks first.weight, first.bias"):
        winnow.rewind(network, nn.Linear(1, 1).state_dict(), mask)
