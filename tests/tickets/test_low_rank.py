"""Low-rank changes of weights: against a wrapper that computes the weights by itself, their rank, and a restart."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from tests.pruning.masked import Attention
from tests.tickets.test_level import IMAGES, PLAN, SEED, SPLITS, TAU, begun_by, dense, ignore, level_of, rule
from tests.training.small import CLASSES, NETWORK, TRAINING, contents
from winnow.networks import initialise
from winnow.pruning.low_rank import LowRank, add_low_rank, merge
from winnow.pruning.masks import count_left, ones
from winnow.pruning.trains import norms_and_biases
from winnow.storage import load_table
from winnow.streams import torch_stream
from winnow.tickets.files import Ticket
from winnow.tickets.train import from_tickets, keep_ticket
from winnow.training import loop
from winnow.training.fit import Task, fit

__all__ = ["dense"]  # the fixture
RANK = 2


class Wrapped(nn.Module):
    """Computes W + 2 M (B A), and calls the network with it."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__()
        self.base = initialise(NETWORK, CLASSES, IMAGES.shape, 0)
        self.base.load_state_dict(ticket.state_dict())
        for name, parameter in self.base.named_parameters():
            parameter.requires_grad_(name in norms_and_biases(self.base))
        self.a, self.b = nn.ParameterList(), nn.ParameterList()
        self.masks = {name: ticket.mask[name].to(IMAGES.device) for name in sorted(ticket.mask)}
        for number, kept in enumerate(self.masks.values()):
            begun = LowRank(kept.cpu(), RANK, torch_stream(SEED, "initialisation", 1, number))
            self.a.append(begun.a)
            self.b.append(begun.b)

    def weights(self) -> dict[str, Tensor]:
        return {
            name: self.base.get_parameter(name) + 2 * kept * torch.matmul(b, a).reshape(kept.shape)
            for (name, kept), a, b in zip(self.masks.items(), self.a, self.b, strict=True)
        }

    def forward(self, images: Tensor) -> Tensor:
        return functional_call(self.base, self.weights(), (images,))


def task_of(dense: Path, folder: Path) -> tuple[Task, Ticket]:
    few = rule(weights="trained", trains="low_rank", rank=RANK, prune=0.5)
    begun = begun_by(few, level_of(dense), dense, folder)
    return Task(IMAGES, TRAINING, PLAN, from_tickets(folder / "begun", trains=few.trains), TAU), begun


def test_it_trains_as_a_wrapper_does(dense: Path, tmp_path: Path) -> None:
    task, begun = task_of(dense, tmp_path)
    fit(task, [SEED], tmp_path / "level", ignore, keep_ticket(SPLITS))
    found = level_of(tmp_path)
    wrapped = Wrapped(begun).to(IMAGES.device)
    run = loop.start(loop.Beginning(wrapped, SEED), tmp_path / "alone", TAU, TAU // PLAN.epoch)
    for _ in loop.train([run], IMAGES, TRAINING, PLAN, ignore):
        pass
    expected = wrapped.base.state_dict() | wrapped.weights()
    assert found.state_dict().keys() == begun.state_dict().keys() == expected.keys()
    for name, tensor in found.state_dict().items():
        torch.testing.assert_close(tensor, expected[name].cpu(), rtol=1e-4, atol=1e-5)
    for name, kept in found.mask.items():
        assert torch.equal(kept, begun.mask[name])
        assert not found.state_dict()[name][~kept].any()
        assert (found.state_dict()[name][kept] != begun.state_dict()[name][kept]).any()
    assert count_left(found.mask) == found.about["weights_left"]
    errors = load_table(tmp_path / "level" / f"seed{SEED}" / "results.csv").set_index("split")["error"]
    with torch.no_grad():
        wrong = [(wrapped.eval()(x).argmax(1) != y).float().mean().item() for x, y in SPLITS["test"].mixed(100)]
    assert errors["test"] == pytest.approx(sum(wrong) / len(wrong), abs=1 / 60 + 1e-6)


def test_interrupted(dense: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)
    task, _ = task_of(dense, tmp_path)
    fit(task, [SEED], tmp_path / "level", ignore, keep_ticket(SPLITS))

    def stop(run: loop.Run) -> None:
        if run.epoch == TAU // PLAN.epoch + 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(task, [SEED], tmp_path / "again", ignore, keep_ticket(SPLITS), stop)
    fit(task, [SEED], tmp_path / "again", ignore, keep_ticket(SPLITS))
    assert contents(tmp_path / "again") == contents(tmp_path / "level")


def test_the_change_has_a_low_rank_and_the_merged_network_computes_the_same() -> None:
    torch.manual_seed(0)
    network, images = Attention().eval(), torch.randn(3, 3, 6, 6)
    before, mask = {name: tensor.clone() for name, tensor in network.state_dict().items()}, ones(network)
    mask["linear.weight"][0, :2] = False
    network.linear.weight.data[0, :2] = 0
    outputs = network(images)
    factors = add_low_rank(network, mask, RANK, SEED)
    assert torch.equal(network(images), outputs)  # b begins at zero
    assert len(factors) == 2 * len(mask)
    with torch.no_grad():
        for name in factors:
            network.get_parameter(name).normal_()
    computed = network(images)
    assert not torch.allclose(computed, outputs)
    merge(network)
    torch.testing.assert_close(network(images), computed)
    assert network.state_dict().keys() == before.keys()
    assert all(tensor.shape == before[name].shape for name, tensor in network.state_dict().items())
    for name in mask:
        change = network.get_parameter(name) - before[name]
        if name == "linear.weight":
            assert not network.get_parameter(name)[0, :2].any()
        else:
            assert torch.linalg.matrix_rank(change.flatten(1), rtol=1e-4) == min(RANK, *change.flatten(1).shape)


def test_factors_differ_between_seeds_and_layers_and_mistakes_are_told() -> None:
    mask = torch.ones(4, 6, dtype=torch.bool)
    one, same, other = (LowRank(mask, RANK, torch_stream(seed, "initialisation", 1, 0)) for seed in (1, 1, 2))
    assert torch.equal(one.a, same.a)
    assert not torch.equal(one.a, other.a)
    assert one.a.abs().max() <= 6**-0.5
    assert LowRank(mask, 99, torch_stream(0, "initialisation", 1)).a.shape == (4, 6)
    recurrent = nn.GRU(3, 4)
    with pytest.raises(ValueError, match=r"^trains: low_rank cannot change weight_hh_l0, of torch's recurrent layers"):
        add_low_rank(recurrent, ones(recurrent), RANK, SEED)
    with pytest.raises(ValueError, match=r"^pruning.levels.x.rank: "):
        rule(trains="low_rank", rank=0, prune=0.5)
    with pytest.raises(ValueError, match=r"^pruning.levels.x.rank: no such key"):
        rule(trains="norms", rank=3, prune=0.5)
