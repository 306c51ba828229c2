"""Pruning inside a training: the cubic schedule by hand, the mask at every step, and a restart at any of them."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.training.small import TRAINING, contents, initialised, on_device, pictures
from winnow.pruning.criteria.magnitude import magnitude
from winnow.pruning.during.gradual import gradual
from winnow.pruning.during_level import During
from winnow.pruning.masks import count_left, is_nested, ones
from winnow.pruning.prune import prune
from winnow.training import loop
from winnow.training.loop import Beginning, Changes, Run, change_mask, start, train
from winnow.training.schedule import make_schedule

IMAGES, PLAN = on_device(pictures()), make_schedule(TRAINING, 43)  # 5 epochs of 5 steps


def cuts_of(level: During, **options: float) -> dict[int, int]:
    """At which step how many weights are left."""
    found: dict[int, int] = {}
    hook = gradual(
        During(level.first, level.last, level.before, level.after, lambda run, left: found.update({run.step: left})),
        **options,
    ).after_step
    for step in range(level.first + 1, level.last + 1):
        hook(SimpleNamespace(step=step))
    return found


def nothing(_run: Run, _left: int) -> None:
    pass


def test_the_cubic_schedule_by_hand():
    """Sparsities 0.4625, 0.7, 0.7875 and 0.8."""
    level = During(0, 100, 10_000, 2_000, nothing)
    assert cuts_of(level, end=0.8, cuts=4) == {20: 5375, 40: 3000, 60: 2125, 80: 2000}
    late = During(40, 140, 10_000, 2_000, nothing)
    assert cuts_of(late, begin=0.5, end=1, cuts=2) == {115: 3000, 140: 2000}
    assert cuts_of(level, cuts=1) == {75: 2000}


def test_more_cuts_than_steps_end_at_the_same_density():
    assert cuts_of(During(0, 4, 100, 10, nothing), end=1, cuts=50) == {
        1: round(10 + 90 * (1 - 18 / 50) ** 3), 2: round(10 + 90 * (1 - 31 / 50) ** 3),
        3: round(10 + 90 * (1 - 43 / 50) ** 3), 4: 10,
    }  # fmt: skip


def test_an_end_before_the_begin_is_told():
    with pytest.raises(ValueError, match=r"^end: 0.5 must be after begin, 0.5"):
        gradual(During(0, 4, 100, 10, nothing), begin=0.5, end=0.5)


# In the training loop


def by_magnitude(run: Run, left: int) -> None:
    weights = {name: run.network.get_parameter(name).detach() for name in run.mask}
    change_mask(run, prune(magnitude(SimpleNamespace(weights=weights)), run.mask, left))


def run_of(folder: Path, changes: Changes | None) -> Run:
    network = initialised(3)
    return start(Beginning(network, 3, ones(network), {}, changes), folder / "run")


def trained(run: Run) -> Run:
    for _ in train([run], IMAGES, TRAINING, PLAN, lambda steps: None):
        pass
    return run


def level_of(run: Run, left: int = 40) -> During:
    return During(0, PLAN.total, count_left(run.mask), left, by_magnitude)


def gradually(folder: Path, **options: float) -> Run:
    run = run_of(folder, None)
    run.changes = gradual(level_of(run), **options)
    return run


def test_masks_shrink_and_hold_at_every_step(tmp_path):
    run, masks = gradually(tmp_path, cuts=6), []
    hook = run.changes.after_step

    def after_step(run: Run) -> None:
        hook(run)
        assert all(not run.network.get_parameter(name)[~kept].any() for name, kept in run.mask.items())
        assert all(parameter.grad is not None for parameter in run.network.parameters())
        masks.append(dict(run.mask))

    run.changes = Changes(after_step)
    trained(run)
    assert len(masks) == PLAN.total
    assert all(is_nested(inner, outer) for outer, inner in pairwise(masks))
    assert len({count_left(mask) for mask in masks}) == 7
    assert count_left(run.mask) == 40
    assert all(not run.network.get_parameter(name)[~kept].any() for name, kept in run.mask.items())


def test_one_cut_after_the_last_step_is_one_cut_of_the_trained_network(tmp_path):
    plain = trained(run_of(tmp_path / "plain", None))
    run = trained(gradually(tmp_path / "gradual", end=1, cuts=1))
    scores = {name: plain.network.get_parameter(name).abs() for name in plain.mask}
    mask = prune(scores, plain.mask, 40)
    for name, tensor in plain.network.state_dict().items():
        expected = torch.where(mask[name].to(tensor.device), tensor, 0) if name in mask else tensor
        assert torch.equal(run.network.state_dict()[name], expected)


@pytest.mark.parametrize("epoch", [0, 1, 3, 4])
def test_a_restart_ends_in_the_same_bytes(tmp_path, monkeypatch, epoch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)

    def finished(run: Run) -> dict[str, bytes]:
        loop.save(trained(run))
        return contents(run.working)

    straight = finished(gradually(tmp_path / "straight", cuts=11))
    cut = gradually(tmp_path / "cut", cuts=11)
    for run in train([cut], IMAGES, TRAINING, PLAN, lambda steps: None):
        if run.epoch == epoch + 1:
            break
    assert finished(gradually(tmp_path / "cut", cuts=11)) == straight


def test_a_weight_that_returns_begins_at_zero_without_momentum(tmp_path):
    """It has none from the time in which it was held at zero, with gradients all the while; others keep theirs."""
    run = run_of(tmp_path, None)
    name = next(iter(run.mask))
    place = tuple(int(i) for i in np.argwhere(np.ones(run.mask[name].shape))[0])
    other = tuple(int(i) for i in np.argwhere(np.ones(run.mask[name].shape))[-1])

    def after_step(run: Run) -> None:
        weight, velocity = run.network.get_parameter(name), run.moments[f"velocity.{name}"]
        if run.step in (2, 5):
            mask = {layer: kept.clone() for layer, kept in run.mask.items()}
            mask[name][place] = run.step == 5
            dead, kept = velocity[place].item(), velocity[other].item()
            change_mask(run, mask)
            assert (run.step == 2) == (dead == velocity[place].item() != 0)
            assert velocity[other].item() == kept != 0
        if 2 <= run.step <= 5:
            assert weight[place] == 0
        if run.step == 6:  # the first step of momentum m with nesterov is (1 + m) g, with decay's part of zero
            assert weight[place] != 0
            assert velocity[place] == weight.grad[place]

    run.changes = Changes(after_step)
    trained(run)
    assert run.step == PLAN.total


def test_runs_in_step_have_masks_of_their_own(tmp_path):
    runs = []
    for seed in (3, 4):
        network = initialised(seed)
        run = start(Beginning(network, seed, ones(network)), tmp_path / f"{seed}")
        run.changes = gradual(level_of(run, 40 + seed), cuts=4)
        runs.append(run)
    for _ in train(runs, IMAGES, TRAINING, PLAN, lambda steps: None):
        pass
    assert [count_left(run.mask) for run in runs] == [43, 44]
    assert not all(torch.equal(runs[0].mask[name], runs[1].mask[name]) for name in runs[0].mask)
