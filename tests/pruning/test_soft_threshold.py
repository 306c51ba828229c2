"""STR: by hand, against autograd through the soft threshold, and restarts."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.pruning.test_gradual import IMAGES, PLAN, trained
from tests.tickets.test_level import rule
from tests.training.small import CLASSES, TRAINING, contents, initialised
from winnow.params.pruning import Level
from winnow.params.training import Training
from winnow.pruning.masks import Mask, count_left, is_nested, ones
from winnow.tickets.level import during
from winnow.training import loop
from winnow.training.loop import Beginning, Run, start, take_step, train


def run_of(folder: Path, network: nn.Module, mask: Mask, **choices: Any) -> Run:
    level = rule(when="soft_threshold", **choices)
    changes = during(level, SimpleNamespace(total=PLAN.total), 0, IMAGES)(SimpleNamespace(mask=mask), 3)
    return start(Beginning(network, 3, mask, {}, changes), folder / "run")


def test_the_first_weights_by_hand(tmp_path: Path) -> None:
    """sigmoid(0) is a half."""
    network = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[2.0, -0.5], [0.25, -1.0]]))
    run = run_of(tmp_path, network, ones(network), threshold=0.0)
    assert network.weight.tolist() == [[1.5, 0], [0, -0.5]]
    assert run.mask["weight"].tolist() == [[True, False], [False, True]]


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_it_is_autograd_through_the_soft_threshold(tmp_path: Path, optimiser: str) -> None:
    """Twenty steps of a small network in double precision, all of whose parameters train."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, CLASSES)).double()
    own = {name: weight.detach().clone().requires_grad_() for name, weight in network.named_parameters()}
    first = {name: torch.tensor(-3.0, dtype=torch.float64, requires_grad=True) for name in ones(network)}
    run = run_of(tmp_path, network, ones(network), threshold=-3.0)
    training = Training(optimiser=optimiser, learning_rate=0.1, weight_decay=1e-2)
    every = [*own.values(), *first.values()]
    sgd = torch.optim.SGD(every, 0.1, momentum=0.9, nesterov=True, weight_decay=1e-2)
    reference = sgd if optimiser == "sgd" else torch.optim.AdamW(every, 0.1, weight_decay=1e-2)
    counts = []
    for number in range(20):
        draws = torch.Generator().manual_seed(number)
        inputs = torch.randn(16, 2, 6, 6, generator=draws, dtype=torch.float64)
        labels = torch.randint(CLASSES, (16,), generator=draws)
        used = {
            name: torch.sign(own[name]) * torch.relu(torch.abs(own[name]) - torch.sigmoid(at))
            for name, at in first.items()
        }
        for name, weight in used.items():
            torch.testing.assert_close(network.get_parameter(name), weight, rtol=1e-9, atol=1e-12)
            assert torch.equal(run.mask[name], weight != 0)
        counts.append(count_left(run.mask))
        hidden = F.relu(F.conv2d(inputs, used["0.weight"], own["0.bias"])).flatten(1)
        reference.zero_grad()
        F.cross_entropy(F.linear(hidden, used["3.weight"], own["3.bias"]), labels).backward()
        reference.step()
        take_step(run, training, None, inputs, labels, 0.1)
    torch.testing.assert_close(network[0].bias, own["0.bias"], rtol=1e-9, atol=1e-12)
    assert len(set(counts)) > 3
    assert all(first[name].item() != -3 for name in first)


def convnet(folder: Path) -> Run:
    network = initialised(3)
    draws = torch.Generator().manual_seed(0)
    mask = {name: torch.rand(kept.shape, generator=draws) < 0.8 for name, kept in ones(network).items()}
    return run_of(folder, network, mask, threshold=-2.0)


def test_what_the_level_did_not_begin_with_never_returns(tmp_path: Path) -> None:
    run = convnet(tmp_path)
    begun = {name: run.memory[f"weight.{name}"].cpu() != 0 for name in run.mask}
    trained(run)
    assert 0 < count_left(run.mask) < count_left(begun) < sum(kept.numel() for kept in begun.values())
    assert is_nested(run.mask, begun)
    assert all(not run.network.get_parameter(name)[~kept].any() for name, kept in run.mask.items())


@pytest.mark.parametrize("epoch", [0, 2])
def test_a_restart_ends_in_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)

    def finished(run: Run) -> dict[str, bytes]:
        loop.save(trained(run))
        return contents(run.working)

    straight, cut = finished(convnet(tmp_path / "straight")), convnet(tmp_path / "cut")
    for run in train([cut], IMAGES, TRAINING, PLAN, lambda steps: None):
        if run.epoch == epoch + 1:
            break
    assert finished(convnet(tmp_path / "cut")) == straight


def test_such_a_level_takes_no_amount() -> None:
    assert rule(when="soft_threshold").during.keywords == {"threshold": -5.0}
    level = {"parent": "dense", "rewind": "dense", "data": "full", "when": "soft_threshold", "threshold": -3}
    assert Level.model_validate(level).kind == "soft_threshold+threshold=-3"
    for choices, words in (
        ({"prune": 0.5}, ": when soft_threshold takes no prune; leave it out"),
        ({"max_error_rise": 0.5}, ": when soft_threshold takes no max_error_rise; leave it out"),
        ({"allocation": "erk"}, ".allocation: soft_threshold takes none; leave it out"),
        ({"criterion": "snip"}, ".criterion: soft_threshold has scores of its own; leave it out"),
    ):
        with pytest.raises(ValueError, match=f"^pruning.levels.x{words}"):
            rule(when="soft_threshold", **choices)
