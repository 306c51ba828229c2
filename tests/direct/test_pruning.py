"""Pruning a user's own network, and holding the mask in a user's own loop."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import winnow
from tests.direct.own import Own, data
from winnow.networks import initialise
from winnow.params.training import Network as ConvNet
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


def pictures() -> DataLoader:
    draws = torch.Generator().manual_seed(0)
    return DataLoader(TensorDataset(torch.randn(6, 3, 8, 8, generator=draws), torch.zeros(6, dtype=torch.long)), 3)


def test_whole_channels():
    network = initialise(ConvNet(name="convnet", width=4), 5, (3, 8, 8), 0)
    before = copy.deepcopy(network.state_dict())
    mask = winnow.prune(network, 0.5, None, "filter_norm", pictures(), structure="channels", least=2)
    assert 0.4 < winnow.density(mask) <= 0.5
    for name, kept in mask.items():  # the rest is a block of rows and columns
        rows, columns = kept.flatten(1).any(1), kept.transpose(0, 1).flatten(1).any(1)
        assert kept.sum() == rows.sum() * columns.sum() * kept[0, 0].numel()
        assert rows.sum() >= 2
        assert torch.equal(network.get_parameter(name), before[name] * kept)
    norms = before["0.weight"].abs().flatten(1).sum(1)
    kept = mask["0.weight"].flatten(1).any(1)
    assert set(norms.topk(int(kept.sum())).indices.tolist()) == set(kept.nonzero().flatten().tolist())


def test_two_of_four():
    network = nn.Linear(4, 2)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[0.1, -3.0, 2.0, 0.5], [4.0, 3.0, 2.0, 1.0]]))
    winnow.prune(network, None, structure="n_of_m")
    assert network.weight.tolist() == [[0, -3, 2, 0], [4, 3, 0, 0]]


def test_whole_blocks_stay_cut_in_training_and_in_later_calls():
    network = initialise(ConvNet(name="resnet20", width=4), 5, (3, 8, 8), 0)
    mask = winnow.prune(network, None, None, "magnitude", pictures(), structure="blocks", cut=3)
    gone = [name for name in mask if not mask[name].any()]
    assert gone == [name for name in mask if name.startswith(("blocks.0.", "blocks.1.", "blocks.2."))]
    assert len(gone) == 3 * 6
    optimizer = sgd(network)
    winnow.hold(network, mask, optimizer)
    images, labels = next(iter(pictures()))
    functional.cross_entropy(network(images), labels).backward()
    assert network.get_parameter("blocks.0.bn2.bias").grad.any()  # but for the mask it would move
    optimizer.step()
    assert not any(network.get_parameter(name).any() for name in gone)
    later = winnow.prune(network, 0.5, mask)
    assert later.keys() == mask.keys()
    assert not any(later[name].any() for name in gone)
    assert winnow.density(later) == pytest.approx(winnow.density(mask) / 2, abs=1e-3)


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
    with pytest.raises(ValueError, match=r"structure: there is no 'rows'; there are blocks, channels, n_of_m, or weig"):
        winnow.prune(network, 0.5, structure="rows")
    with pytest.raises(ValueError, match=r"fraction: structure n_of_m says itself how much it prunes; give None"):
        winnow.prune(network, 0.5, structure="n_of_m")
    with pytest.raises(ValueError, match=r"fraction: None: must be from 0 to 1"):
        winnow.prune(network, None, structure="channels", loader=DataLoader(data(), 8))
    with pytest.raises(ValueError, match=r"allocation: structure channels takes no erk; leave it out"):
        winnow.prune(network, 0.5, structure="channels", allocation="erk")
    with pytest.raises(ValueError, match=r"rounds: structure n_of_m takes none; leave it out"):
        winnow.prune(network, None, structure="n_of_m", rounds=2)
    with pytest.raises(ValueError, match=r"structure: the network has no residual block"):
        winnow.prune(network, None, structure="blocks", loader=DataLoader(data(), 8))
    with pytest.raises(ValueError, match=r"loader: must be given: .* the structure needs examples"):
        winnow.prune(network, None, structure="blocks")
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
