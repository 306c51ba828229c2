"""Movement pruning: by hand, against a naive loop in numpy, and restarts."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from tests.pruning.test_gradual import IMAGES, PLAN, trained
from tests.tickets.test_level import rule
from tests.training.small import TRAINING, contents, initialised
from winnow.pruning.during.movement import movement
from winnow.pruning.during_level import During
from winnow.pruning.masks import Mask, count_left, is_nested, ones
from winnow.tickets.level import during
from winnow.training import loop
from winnow.training.loop import Beginning, Changes, Run, optimiser_step, start, train

PLAIN = TRAINING.model_copy(update={"momentum": 0.0, "weight_decay": 0.0, "nesterov": False})


def run_of(folder: Path, network: nn.Module, mask: Mask, steps: int, left: int, **options: float) -> Run:
    """A run whose level keeps ``left`` of the mask's weights, at the end of ``steps``."""
    level = rule(when="movement", prune=1 - left / count_left(mask), **options)
    hook = during(level, SimpleNamespace(total=steps), 0, IMAGES)(SimpleNamespace(network=network, mask=mask), 3)
    return start(Beginning(network, 3, mask, {}, hook), folder / "run")


def linear(weight: np.ndarray) -> nn.Linear:
    network = nn.Linear(weight.shape[1], weight.shape[0], bias=False).double()
    with torch.no_grad():
        network.weight.copy_(torch.from_numpy(weight))
    return network


def take_step(run: Run, gradient: np.ndarray, rate: float) -> None:
    """One step of SGD with this gradient."""
    run.step += 1
    run.network.weight.grad = torch.from_numpy(gradient)
    optimiser_step(run, PLAIN, rate)


def test_the_weight_that_moves_away_from_zero_stays_by_hand(tmp_path):
    """2 falls to 1.5 by way of 1.75, with gradient 1 twice; 0.1 grows to 0.6 by way of 0.35, with gradient -1."""
    run = run_of(tmp_path, linear(np.array([[2.0, 0.1]])), {"weight": torch.ones(1, 2, dtype=torch.bool)}, 2, 1, cuts=1)
    run.changes = movement(During(0, 2, 2, 1, lambda run, left, scores: kept.append((left, scores))), end=1, cuts=1)
    kept: list = []
    for _ in range(2):
        take_step(run, np.array([[1.0, -1.0]]), 0.25)
    # 1.75 and 0.35 come after the first step and before the second, so they are the w of both
    ((left, scores),) = kept
    assert left == 1
    assert scores["weight"].tolist() == [[-1.75 - 1.75, 0.35 + 0.35]]


@pytest.mark.parametrize("seed", range(5))
def test_it_is_a_naive_loop_with_a_straight_through_mask(tmp_path, seed):
    """Least squares. The loop keeps dense weights, multiplies them by the mask, and trains those that it keeps."""
    rng = np.random.default_rng(seed)
    weight, inputs, target = rng.normal(size=(3, 4)), rng.normal(size=(40, 4)), rng.normal(size=(40, 3))
    run = run_of(tmp_path, linear(weight), {"weight": torch.ones(3, 4, dtype=torch.bool)}, 12, 3, cuts=4, end=1)
    left = {3 * k: round(3 + 9 * (1 - k / 4) ** 3) for k in (1, 2, 3, 4)}
    dense, mask, scores, masks = weight.copy(), np.ones((3, 4), bool), np.zeros((3, 4)), []
    for step in range(1, 13):
        outputs = inputs @ (dense * mask).T
        gradient = (outputs - target).T @ inputs / len(inputs)
        np.testing.assert_allclose(run.network.weight.detach(), dense * mask, rtol=1e-12, atol=1e-15)
        take_step(run, gradient.copy(), 0.3)
        moved = dense - 0.3 * gradient * mask
        scores -= (moved if step == 1 else dense) * gradient
        dense = moved
        if step in left:
            mask = scores >= np.sort(scores.ravel())[-left[step]]
            masks.append(mask)
    np.testing.assert_array_equal(run.mask["weight"], mask)
    np.testing.assert_allclose(run.network.weight.detach(), dense * mask, rtol=1e-12, atol=1e-15)
    assert mask.sum() == 3
    if seed == 1:
        assert any((later & ~earlier).any() for earlier, later in pairwise(masks))  # some return


def convnet(folder: Path, density: float = 1.0, **options: float) -> Run:
    network = initialised(3)
    draws = torch.Generator().manual_seed(0)
    mask = {name: torch.rand(kept.shape, generator=draws) < density for name, kept in ones(network).items()}
    return run_of(folder, network, mask, PLAN.total, 40, **options)


def test_what_the_level_did_not_begin_with_never_returns(tmp_path):
    run, masks = convnet(tmp_path, 0.8, cuts=8), []
    begun, hook = dict(run.mask), run.changes.after_step

    def after_step(run: Run) -> None:
        before = {name: run.moments[f"velocity.{name}"].clone() for name in run.mask}
        masks.append(dict(run.mask))
        hook(run)
        for name, kept in run.mask.items():
            weight, back = run.network.get_parameter(name), kept & ~masks[-1][name]
            assert not weight[~kept].any()
            velocity = run.moments[f"velocity.{name}"]
            assert not velocity[back].any()
            assert torch.equal(velocity[~back], before[name][~back])

    run.changes = Changes(after_step)
    trained(run)
    assert count_left(run.mask) == 40
    assert all(is_nested(mask, begun) for mask in masks)
    assert any(not is_nested(later, earlier) for earlier, later in pairwise(masks))


@pytest.mark.parametrize("epoch", [0, 1, 3])
def test_a_restart_ends_in_the_same_bytes(tmp_path, monkeypatch, epoch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)

    def finished(run: Run) -> dict[str, bytes]:
        loop.save(trained(run))
        return contents(run.working)

    straight, cut = finished(convnet(tmp_path / "straight", cuts=11)), convnet(tmp_path / "cut", cuts=11)
    for run in train([cut], IMAGES, TRAINING, PLAN, lambda steps: None):
        if run.epoch == epoch + 1:
            break
    assert finished(convnet(tmp_path / "cut", cuts=11)) == straight


def test_a_level_by_movement_takes_no_criterion():
    assert rule(when="movement", prune=0.8, begin=0.1).during.keywords == {"begin": 0.1, "end": 0.75, "cuts": 20}
    for choices, words in (
        ({"criterion": "snip"}, "pruning.levels.x.criterion: movement has scores of its own; leave it out"),
        (
            {"allocation": "lamp"},
            "pruning.levels.x.allocation: lamp takes scores of at least zero, which movement does",
        ),
        ({"rounds": 3}, "pruning.levels.x.rounds: no such key"),
        ({"max_error_rise": 0.1, "prune": None}, "pruning.levels.x.when: movement needs prune"),
    ):
        with pytest.raises(ValueError, match=f"^{words}"):
            rule(**{"when": "movement", "prune": 0.8, **choices})
