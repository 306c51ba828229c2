"""Edge-popup and lottery jackpots: by hand, against autograd with a straight-through estimator, and restarts."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor, nn

from tests.pruning.test_gradual import IMAGES, PLAN, trained
from tests.tickets.test_level import rule
from tests.training.small import CLASSES, TRAINING, contents, initialised
from winnow.params.training import Training
from winnow.pruning.layers import lowest
from winnow.pruning.learned_masks import highest
from winnow.pruning.masks import Mask, count_left, is_nested, layer_counts, ones
from winnow.tickets.level import during
from winnow.training import loop
from winnow.training.loop import Beginning, Run, optimiser_step, start, take_step, train

LEARNED = ["edge_popup", "lottery_jackpots"]
PLAIN = TRAINING.model_copy(update={"momentum": 0.0, "weight_decay": 0.0, "nesterov": False})


def run_of(folder: Path, network: nn.Module, mask: Mask, left: int, **choices: Any) -> Run:
    """A run whose level keeps ``left`` of the mask's weights."""
    level = rule(prune=1 - left / count_left(mask), **choices)
    changes = during(level, SimpleNamespace(total=PLAN.total), 0, IMAGES)(SimpleNamespace(mask=mask), 3)
    return start(Beginning(network, 3, mask, {}, changes), folder / "run")


def linear(folder: Path, weight: list[list[float]], left: int, **choices: Any) -> Run:
    network = nn.Linear(len(weight[0]), len(weight), bias=False).double()
    with torch.no_grad():
        network.weight.copy_(torch.tensor(weight))
    return run_of(folder, network, ones(network), left, **choices)


def step(run: Run, gradient: list[list[float]], rate: float) -> None:
    """One step of SGD with this gradient."""
    run.network.weight.grad = torch.tensor(gradient, dtype=torch.float64)
    optimiser_step(run, PLAIN, rate)


@given(hnp.arrays(np.float32, (3, 4), elements=st.sampled_from([-2, -0.0, 0.0, 0.5, 1])), st.integers(0, 12))
def test_the_highest_are_those_that_pruning_would_leave(values: np.ndarray, count: int) -> None:
    expected = ~lowest(values.ravel(), 12 - count).reshape(3, 4)
    np.testing.assert_array_equal(highest(torch.from_numpy(values), count), expected)


def test_jackpots_begin_with_the_largest_weights_by_hand(tmp_path: Path) -> None:
    """Of 3, -1, 0.5 and -2, 3 and -2 stay, with scores of 1. With gradients of 1, a rate of 0.1 takes 0.1 w from each
    score: 0.7, 0.99 + 0.1, 0.99 - 0.05 and 1 + 0.2. So -1 takes the place of 3, with its value."""
    run = linear(tmp_path, [[3.0, -1.0], [0.5, -2.0]], 2, when="lottery_jackpots", weights="trained")
    assert run.memory["score.weight"].tolist() == [[1, 0.99], [0.99, 1]]
    assert run.network.weight.tolist() == [[3, 0], [0, -2]]
    step(run, [[1, 1], [1, 1]], 0.1)
    np.testing.assert_allclose(run.memory["score.weight"], [[0.7, 1.09], [0.94, 1.2]], rtol=1e-12)
    assert run.network.weight.tolist() == [[0, -1], [0, -2]]
    assert run.mask["weight"].tolist() == [[False, True], [False, True]]


def test_jackpots_take_the_counts_of_the_allocation_and_keep_them(tmp_path: Path) -> None:
    run = convnet(tmp_path, when="lottery_jackpots", weights="trained")
    sizes = torch.cat([run.memory[f"weight.{name}"].abs().flatten() for name in run.mask])
    threshold = sizes.sort(descending=True).values[39]
    counts = {name: int((run.memory[f"weight.{name}"].abs() >= threshold).sum()) for name in run.mask}
    assert len(set(counts.values())) > 1
    assert layer_counts(run.mask) == counts
    assert layer_counts(trained(run).mask) == counts


def test_edge_popup_by_hand(tmp_path: Path) -> None:
    """Of four inputs two stay, so the constant is sqrt(2 / 2). A score's gradient has its sign: the size of each falls
    by the rate times g w, as if the score itself were positive."""
    run = linear(tmp_path, [[2.0, -0.5, 0.1, -4.0]], 2, parent="none", when="edge_popup")
    before, signs = run.memory["score.weight"].clone(), [[1, -1, 1, -1]]
    assert (before.abs() <= 1 / 2).all()  # one over the root of the inputs
    assert run.memory["weight.weight"].tolist() == signs
    kept = before.abs() >= before.abs().flatten().sort().values[2]
    assert run.network.weight.tolist() == torch.where(kept, torch.tensor(signs), 0).tolist()
    step(run, [[-0.3, 0.2, 0.5, -0.6]], 0.01)
    change = 0.01 * torch.tensor([[-0.3, 0.2, 0.5, -0.6]]) * torch.tensor(signs)
    np.testing.assert_allclose(run.memory["score.weight"].abs(), before.abs() - change, rtol=1e-6)


def test_edge_popup_keeps_the_same_fraction_of_every_layer(tmp_path: Path) -> None:
    run = convnet(tmp_path, when="edge_popup", allocation="uniform")
    found = {name: count / run.mask[name].numel() for name, count in layer_counts(run.mask).items()}
    density = 40 / sum(kept.numel() for kept in run.mask.values())
    assert all(abs(part - density) <= 1 / run.mask[name].numel() for name, part in found.items())
    own = {name: run.memory[f"weight.{name}"] for name in run.mask}
    for name, kept in run.mask.items():
        inputs = int(kept.sum()) / len(kept)  # of one output
        assert own[name].abs().unique().tolist() == pytest.approx([(2 / inputs) ** 0.5])


def test_without_the_constant_the_weights_are_the_levels_own(tmp_path: Path) -> None:
    run = convnet(tmp_path, when="edge_popup", signed_constant=False)
    network = initialised(3)
    for name in run.mask:
        assert torch.equal(run.memory[f"weight.{name}"], network.get_parameter(name))


class TopK(torch.autograd.Function):
    """The mask of the highest values, whose gradient is passed on as it is."""

    @staticmethod
    def forward(_ctx: Any, values: Tensor, count: int) -> Tensor:
        mask = torch.zeros(values.numel(), dtype=values.dtype)
        mask[values.flatten().argsort(descending=True)[:count]] = 1
        return mask.view(values.shape)

    @staticmethod
    def backward(_ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


@pytest.mark.parametrize("when", LEARNED)
@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_it_is_autograd_through_a_mask_with_a_straight_through_estimator(
    tmp_path: Path, when: str, optimiser: str
) -> None:
    """Ten steps of a small network in double precision, with momentum and weight decay of the scores."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, CLASSES)).double()
    run = run_of(tmp_path, network, ones(network), 80, when=when, allocation="erk")
    weights = {name: run.memory[f"weight.{name}"].clone() for name in run.mask}
    scores = {name: run.memory[f"score.{name}"].clone().requires_grad_() for name in run.mask}
    counts, biases = layer_counts(run.mask), [network[0].bias.clone(), network[3].bias.clone()]
    training = Training(optimiser=optimiser, learning_rate=0.1, weight_decay=1e-2)
    sgd = torch.optim.SGD(scores.values(), 0.1, momentum=0.9, nesterov=True, weight_decay=1e-2)
    reference = sgd if optimiser == "sgd" else torch.optim.AdamW(scores.values(), 0.1, weight_decay=1e-2)
    masks = []
    for number in range(10):
        draws = torch.Generator().manual_seed(number)
        inputs = torch.randn(16, 2, 6, 6, generator=draws, dtype=torch.float64)
        labels = torch.randint(CLASSES, (16,), generator=draws)
        values = {name: score.abs() if when == "edge_popup" else score for name, score in scores.items()}
        used = {name: weights[name] * TopK.apply(values[name], counts[name]) for name in scores}
        for name in scores:
            torch.testing.assert_close(network.get_parameter(name), used[name], rtol=0, atol=0)
        masks.append({name: weight.detach() != 0 for name, weight in used.items()})
        hidden = F.relu(F.conv2d(inputs, used["0.weight"], biases[0])).flatten(1)
        reference.zero_grad()
        F.cross_entropy(F.linear(hidden, used["3.weight"], biases[1]), labels).backward()
        reference.step()
        take_step(run, training, None, inputs, labels, 0.1)
        for name, score in scores.items():
            torch.testing.assert_close(run.memory[f"score.{name}"], score.detach(), rtol=1e-9, atol=1e-12)
    assert any(not is_nested(later, earlier) for earlier, later in pairwise(masks))
    assert torch.equal(network[0].bias, biases[0]) and torch.equal(network[3].bias, biases[1])


def convnet(folder: Path, density: float = 1.0, **choices: Any) -> Run:
    network = initialised(3)
    draws = torch.Generator().manual_seed(0)
    mask = {name: torch.rand(kept.shape, generator=draws) < density for name, kept in ones(network).items()}
    return run_of(folder, network, mask, 40, **choices)


@pytest.mark.parametrize("when", LEARNED)
def test_only_the_mask_and_the_statistics_of_batch_norm_change(tmp_path: Path, when: str) -> None:
    run = convnet(tmp_path, 0.8, when=when)
    begun = {name: run.memory[f"candidate.{name}"].cpu().clone() for name in run.mask}
    held = {name: run.memory[f"weight.{name}"].clone() for name in run.mask}
    others = {name: weight.clone() for name, weight in run.network.named_parameters() if name not in run.mask}
    counts, first, after = layer_counts(run.mask), dict(run.mask), dict(run.network.named_buffers())
    statistics = {name: buffer.clone() for name, buffer in after.items()}
    trained(run)
    assert layer_counts(run.mask) == counts
    assert sum(counts.values()) == 40
    assert not is_nested(run.mask, first)
    assert is_nested(run.mask, begun)
    for name, kept in run.mask.items():
        assert torch.equal(run.network.get_parameter(name), torch.where(kept.to(IMAGES.device), held[name], 0))
    for name, weight in others.items():
        assert torch.equal(run.network.get_parameter(name), weight)
    assert any(not torch.equal(after[name], before) for name, before in statistics.items())


@pytest.mark.parametrize("when", LEARNED)
@pytest.mark.parametrize("epoch", [0, 1, 3])
def test_a_restart_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, epoch: int
) -> None:
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)

    def finished(run: Run) -> dict[str, bytes]:
        loop.save(trained(run))
        return contents(run.working)

    straight, cut = finished(convnet(tmp_path / "straight", 0.8, when=when)), convnet(tmp_path / "cut", 0.8, when=when)
    for run in train([cut], IMAGES, TRAINING, PLAN, lambda steps: None):
        if run.epoch == epoch + 1:
            break
    assert finished(convnet(tmp_path / "cut", 0.8, when=when)) == straight


def test_scores_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    run = linear(tmp_path, [[3.0, -1.0], [0.5, -2.0]], 2, when="lottery_jackpots")
    with pytest.raises(ValueError, match=r"^the scores of weight are not all numbers: the training diverged"):
        step(run, [[1, float("nan")], [1, 1]], 0.1)


def test_what_such_levels_cannot_take_is_told() -> None:
    for choices, words in (
        ({"when": "edge_popup", "criterion": "snip"}, "criterion: edge_popup has scores of its own; leave it out"),
        ({"when": "edge_popup", "allocation": "lamp"}, "allocation: lamp takes scores of at least zero"),
        ({"when": "lottery_jackpots", "trains": "norms"}, "trains: norms is for levels pruned once; leave it out"),
        ({"when": "lottery_jackpots", "cuts": 3}, "cuts: no such key"),
    ):
        with pytest.raises(ValueError, match=f"^pruning.levels.x.{words}"):
            rule(prune=0.5, **choices)
