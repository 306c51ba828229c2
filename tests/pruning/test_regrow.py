"""Weights that move during a training: drops and growth by hand, against naive loops, counts, and restarts."""

import math
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.pruning.test_gradual import IMAGES, PLAN, level_of, run_of, trained
from tests.training.small import CLASSES, NETWORK, TRAINING, contents
from winnow import methods
from winnow.networks import initialise
from winnow.pruning.criteria.random import random
from winnow.pruning.during.gradual import gradual
from winnow.pruning.during.granet import granet
from winnow.pruning.during.rigl import rigl
from winnow.pruning.during_level import During
from winnow.pruning.families import DURING
from winnow.pruning.masks import Mask, count_left, is_nested, layer_counts, ones
from winnow.pruning.prune import prune
from winnow.pruning.regrow import cosine, regrown, smallest
from winnow.training import loop
from winnow.training.loop import Beginning, Changes, Run, StepHook, start, train
from winnow.training.schedule import make_schedule

MOVING = [name for name in methods.names(DURING) if methods.has_mark(methods.find(DURING, name), "MOVES")]


def test_a_cosine_by_hand():
    assert [round(cosine(0.3, 0, part), 6) for part in (0, 1 / 3, 1 / 2, 1)] == [0.3, 0.225, 0.15, 0]
    assert cosine(0.5, 0.005, 1) == 0.005


def test_drop_and_growth_by_hand():
    """0.2 and -0.1 are dropped. Of the free places those with gradients 9 and 7 grow: the second was just dropped."""
    kept = np.array([True, True, True, True, False, False, False])
    weights = np.array([0.2, -0.1, 0.5, -3, 0, 0, 0])
    growth = np.array([1.0, 7, 99, 99, 9, 2, 3])
    dropped = smallest(kept, weights, 2)
    np.testing.assert_array_equal(dropped, [True, True, False, False, False, False, False])
    np.testing.assert_array_equal(regrown(kept, dropped, growth), [False, True, True, True, True, False, False])


@given(
    st.data(),
    hnp.arrays(np.float32, 12, elements=st.sampled_from([-2, -1, -0.0, 0.0, 0.5, 1])),
    hnp.arrays(np.float32, 12, elements=st.floats(0, 4, width=32)),
    hnp.arrays(bool, 12),
)
def test_drop_and_growth_are_those_of_a_naive_loop(data, weights, growth, kept):
    count = data.draw(st.integers(0, int(kept.sum())))
    live = [i for i in range(12) if kept[i]]
    for _ in range(count):
        live.remove(min(live, key=lambda i: (abs(weights[i]), i)))
    for _ in range(count):
        live.append(max((i for i in range(12) if i not in live), key=lambda i: (growth[i], i)))
    found = regrown(kept, smallest(kept, weights, count), growth)
    assert sorted(live) == np.flatnonzero(found).tolist()


# In the training loop


def sparse(folder: Path, seed: int = 3) -> Run:
    """A run of a network with half of its weights at random places."""
    network = initialise(NETWORK, CLASSES, IMAGES.shape, seed)
    mask = ones(network)
    weights = {name: network.get_parameter(name) for name in mask}
    mask = prune(random(SimpleNamespace(weights=weights, seed=seed)), mask, count_left(mask) // 2)
    return start(Beginning(network, seed, mask), folder / "run")


def moving(folder: Path, name: str, seed: int = 3, **options: float) -> Run:
    run = sparse(folder, seed)
    count = count_left(run.mask)
    run.changes = methods.find(DURING, name)(During(0, PLAN.total, count, count, refuse), **options)
    return run


def refuse(_run: Run, _left: int) -> None:
    raise AssertionError("a method that moves weights prunes none")


def watched(run: Run, note) -> Run:
    hook = run.changes.after_step

    def after_step(run: Run) -> None:
        before = dict(run.mask)
        state = {name: run.network.get_parameter(name).detach().clone() for name in run.mask}
        hook(run)
        note(before, state)

    run.changes = Changes(after_step)
    return run


@pytest.mark.parametrize("name", MOVING)
def test_counts_of_layers_stay_and_masks_move_and_hold(tmp_path, name):
    run, moved = moving(tmp_path, name, every=4), []
    counts = layer_counts(run.mask)

    def note(before: Mask, state: dict[str, torch.Tensor]) -> None:
        assert layer_counts(run.mask) == counts
        moved.append(any(not torch.equal(before[layer], kept) for layer, kept in run.mask.items()))
        assert not moved[-1] or run.step % 4 == 0
        for layer, kept in run.mask.items():
            weight, stayed = run.network.get_parameter(layer), kept & before[layer]
            assert torch.equal(weight[stayed], state[layer][stayed])  # as it was
            assert not weight[~stayed].any()  # begins at zero, or is held there
            assert not run.moments[f"velocity.{layer}"][kept & ~before[layer]].any()

    trained(watched(run, note))
    assert len(moved) == PLAN.total
    assert sum(moved) >= 3


def test_rigl_is_a_naive_loop_with_the_gradient_of_a_dense_network(tmp_path):
    """The gradient at every place, taken anew: of the weights before the step, by autograd on a copy."""
    run, seen = moving(tmp_path, "rigl", every=5, drop=0.6, end=0.9), []
    forward = run.network.forward

    def keep(inputs: torch.Tensor) -> torch.Tensor:
        seen[:] = [inputs, {name: tensor.detach().clone() for name, tensor in run.network.named_parameters()}]
        return forward(inputs)

    run.network.forward = keep
    losses = []
    cross_entropy = F.cross_entropy

    def kept_labels(logits: torch.Tensor, labels: torch.Tensor, **options) -> torch.Tensor:
        losses[:] = [labels]
        return cross_entropy(logits, labels, **options)

    changes = []

    def note(before: Mask, state: dict[str, torch.Tensor]) -> None:
        if run.step % 5 or run.step >= 0.9 * PLAN.total:
            return
        twin = initialise(NETWORK, CLASSES, IMAGES.shape, 3).to(memory_format=torch.channels_last).train()
        twin.load_state_dict(seen[1], strict=False)
        weights = [twin.get_parameter(name) for name in run.mask]
        with torch.enable_grad():
            gradients = torch.autograd.grad(cross_entropy(twin(seen[0]), losses[0]), weights)
        for (name, kept), gradient in zip(run.mask.items(), gradients, strict=True):
            live = set(torch.nonzero(before[name].flatten()).flatten().tolist())
            count = math.floor(0.3 * (1 + math.cos(math.pi * run.step / (0.9 * PLAN.total))) * len(live))
            sizes, growth = state[name].abs().flatten().tolist(), gradient.abs().flatten().tolist()
            live -= set(sorted(live, key=lambda i: sizes[i])[:count])
            free = [i for i in range(kept.numel()) if i not in live]
            live |= set(sorted(free, key=lambda i: (-growth[i], -i))[:count])
            assert live == set(torch.nonzero(kept.flatten()).flatten().tolist())
            changes.append(int((kept & ~before[name]).sum()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.F, "cross_entropy", kept_labels)
        trained(watched(run, note))
    assert sum(count > 0 for count in changes) > 6


def test_growth_alone_does_not_change_the_function(tmp_path):
    """A weight that grows is zero before and after: only what was dropped changes outputs."""
    run = moving(tmp_path, "rigl", every=4, drop=0.5)

    def note(before: Mask, state: dict[str, torch.Tensor]) -> None:
        dropped = {name: torch.where(run.mask[name], state[name], 0) for name in run.mask}
        assert all(torch.equal(run.network.get_parameter(name), weight) for name, weight in dropped.items())

    trained(watched(run, note))


def test_sparse_evolution_drops_by_sign_and_draws_by_seed_and_step(tmp_path):
    run, grown = moving(tmp_path, "sparse_evolution", every=5, drop=0.5), []

    def note(before: Mask, state: dict[str, torch.Tensor]) -> None:
        for name, kept in run.mask.items():
            gone = before[name] & ~kept
            for sign in (state[name] >= 0, state[name] < 0):
                live, dropped = before[name] & sign, gone & sign
                assert int(dropped.sum()) <= int(0.5 * live.sum())
                if dropped.any():  # a dropped weight may return, so of the smaller half some are left
                    assert state[name][dropped].abs().max() <= state[name][live].abs().median()
            grown.append(torch.nonzero((kept & ~before[name]).flatten()).flatten().tolist())

    trained(watched(run, note))
    assert len({tuple(places) for places in grown}) > 8
    other, again = (trained(moving(tmp_path / str(seed), "sparse_evolution", seed, every=5)) for seed in (4, 3))
    once = trained(moving(tmp_path / "once", "sparse_evolution", every=5))
    assert all(torch.equal(again.mask[name], kept) for name, kept in once.mask.items())
    assert not all(torch.equal(other.mask[name], kept) for name, kept in once.mask.items())


def test_the_last_step_moves_no_weights(tmp_path):
    for name in MOVING:
        run = moving(tmp_path / name, name, every=PLAN.total)
        before = dict(run.mask)
        assert all(torch.equal(before[layer], kept) for layer, kept in trained(run).mask.items())


# GraNet


def with_granet(folder: Path, **options: float) -> Run:
    run = run_of(folder, None)
    run.changes = granet(level_of(run), **options)
    return run


def test_granet_without_regrowth_is_gradual(tmp_path):
    run, plain = with_granet(tmp_path / "granet", cuts=5, regrow=0), run_of(tmp_path / "gradual", None)
    plain.changes = gradual(level_of(plain), cuts=5)
    found, expected = trained(run).network.state_dict(), trained(plain).network.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_granet_follows_the_cuts_of_gradual_and_moves_weights_to_the_end(tmp_path):
    run, masks = with_granet(tmp_path, cuts=6, end=0.6), []
    trained(watched(run, lambda before, _state: masks.append((before, dict(run.mask)))))
    plain, counts = run_of(tmp_path / "gradual", None), []
    plain.changes = gradual(level_of(plain), cuts=6, end=0.6)
    trained(watched(plain, lambda *_: counts.append(count_left(plain.mask))))
    assert [count_left(mask) for _, mask in masks] == counts
    moved = [step for step, (before, after) in enumerate(masks, 1) if not is_nested(after, before)]
    assert set(moved) - {5, 8, 10, 12, 15, 18, 20, 22} == set()  # 25 steps; 2 is dense: all return
    assert any(step > 15 for step in moved)
    for (_, before), (_, after) in pairwise(masks[15:]):
        assert layer_counts(before) == layer_counts(after)


def test_granet_tells_an_end_before_the_begin():
    with pytest.raises(ValueError, match=r"^end: 0.5 must be after begin, 0.5"):
        granet(During(0, 4, 100, 10, refuse), begin=0.5, end=0.5)


@pytest.mark.parametrize("epoch", [0, 2, 4])
@pytest.mark.parametrize("name", [*MOVING, "granet"])
def test_a_restart_ends_in_the_same_bytes(tmp_path, monkeypatch, name, epoch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)

    def begun(folder: Path) -> Run:
        return with_granet(folder, cuts=11) if name == "granet" else moving(folder, name, every=3)

    def finished(run: Run) -> dict[str, bytes]:
        loop.save(trained(run))
        return contents(run.working)

    straight, cut = finished(begun(tmp_path / "straight")), begun(tmp_path / "cut")
    for run in train([cut], IMAGES, TRAINING, PLAN, lambda steps: None):
        if run.epoch == epoch + 1:
            break
    assert finished(begun(tmp_path / "cut")) == straight


def test_a_network_that_diverges_is_told(tmp_path):
    run = moving(tmp_path, "rigl", every=1)
    layer = next(iter(run.mask))

    def broken(hook: StepHook) -> StepHook:
        def after_step(run: Run) -> None:
            run.network.get_parameter(layer).grad[...] = torch.nan
            hook(run)

        return after_step

    run.changes = Changes(broken(run.changes.after_step))
    with pytest.raises(ValueError, match="the training diverged"):
        trained(run)


def test_the_schedule_of_rigl_counts_from_the_first_step_of_the_level(tmp_path):
    assert make_schedule(TRAINING, 43).total == PLAN.total == 25
    late = moving(tmp_path, "rigl", every=4)
    late.step = 3
    late.changes = rigl(During(3, 25, 1, 1, refuse), every=4, end=0.5)
    moved = []
    trained(
        watched(
            late,
            lambda before, _state: moved.append(
                any(not torch.equal(before[name], kept) for name, kept in late.mask.items())
            ),
        )
    )
    steps = {step for step, changed in enumerate(moved, 4) if changed}
    assert steps == {7, 11}  # until 3 + 11
