"""Weights that move during a training: drops and growth by hand, against naive loops, counts, and restarts."""

import math
from collections.abc import Callable
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
from tests.training.small import TRAINING, contents, initialised
from winnow import methods
from winnow.pruning.criteria.random import random
from winnow.pruning.during.gradual import gradual
from winnow.pruning.during.granet import granet
from winnow.pruning.during.rigl import rigl
from winnow.pruning.during_level import During
from winnow.pruning.families import DURING
from winnow.pruning.masks import Mask, count_left, is_nested, layer_counts, ones
from winnow.pruning.prune import prune
from winnow.pruning.regrow import cosine, regrown, smallest
from winnow.streams import numpy_stream
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
    network = initialised(seed)
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


Gradients = dict[str, torch.Tensor]


def trained_beside_a_dense_copy(run: Run, note: Callable[[Mask, Gradients, Gradients], None]) -> Run:
    """Train, and after every step call ``note`` with the mask before it, the weights when the mask changes, and the
    gradient at every place. Autograd takes that gradient on a copy with the weights before the step."""
    forward, seen = run.network.forward, {}
    cross_entropy = F.cross_entropy

    def keep(inputs: torch.Tensor) -> torch.Tensor:
        seen.update(inputs=inputs, state={name: each.detach().clone() for name, each in run.network.named_parameters()})
        return forward(inputs)

    def kept_labels(logits: torch.Tensor, labels: torch.Tensor, **options) -> torch.Tensor:
        seen["labels"] = labels
        return cross_entropy(logits, labels, **options)

    def with_gradients(before: Mask, state: dict[str, torch.Tensor]) -> None:
        twin = initialised(3).to(memory_format=torch.channels_last).train()
        twin.load_state_dict(seen["state"], strict=False)
        weights = [twin.get_parameter(name) for name in run.mask]
        with torch.enable_grad():
            gradients = torch.autograd.grad(cross_entropy(twin(seen["inputs"]), seen["labels"]), weights)
        note(before, state, dict(zip(run.mask, gradients, strict=True)))

    run.network.forward = keep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.F, "cross_entropy", kept_labels)
        return trained(watched(run, with_gradients))


def places(kept: torch.Tensor) -> set[int]:
    return set(torch.nonzero(kept.flatten()).flatten().tolist())


def moved_by_hand(live: set[int], count: int, weight: torch.Tensor, gradient: torch.Tensor) -> set[int]:
    """The places of a layer after its ``count`` smallest are dropped, and as many of the largest gradient grow."""
    sizes, growth = weight.abs().flatten().tolist(), gradient.abs().flatten().tolist()
    left = live - set(sorted(live, key=lambda i: sizes[i])[:count])
    free = [i for i in range(len(sizes)) if i not in left]
    return left | set(sorted(free, key=lambda i: (-growth[i], -i))[:count])


def test_rigl_is_a_naive_loop_with_the_gradient_of_a_dense_network(tmp_path):
    run, changes = moving(tmp_path, "rigl", every=5, drop=0.6, end=0.9), []

    def note(before: Mask, state: Gradients, gradients: Gradients) -> None:
        if run.step % 5 or run.step >= 0.9 * PLAN.total:
            return
        for name, kept in run.mask.items():
            live = places(before[name])
            count = math.floor(0.3 * (1 + math.cos(math.pi * run.step / (0.9 * PLAN.total))) * len(live))
            assert moved_by_hand(live, count, state[name], gradients[name]) == places(kept)
            changes.append(int((kept & ~before[name]).sum()))

    trained_beside_a_dense_copy(run, note)
    assert sum(count > 0 for count in changes) > 6


def test_growth_alone_does_not_change_the_function(tmp_path):
    """A weight that grows is zero before and after: only what was dropped changes outputs."""
    run = moving(tmp_path, "rigl", every=4, drop=0.5)

    def note(before: Mask, state: dict[str, torch.Tensor]) -> None:
        dropped = {name: torch.where(kept.to(IMAGES.device), state[name], 0) for name, kept in run.mask.items()}
        assert all(torch.equal(run.network.get_parameter(name), weight) for name, weight in dropped.items())

    trained(watched(run, note))


def test_sparse_evolution_is_a_naive_loop_that_drops_by_sign_and_grows_at_random(tmp_path):
    run, grown = moving(tmp_path, "sparse_evolution", every=5, drop=0.5), []

    def note(before: Mask, state: Gradients) -> None:
        if run.step % 5 or run.step == PLAN.total:
            assert all(torch.equal(before[name], kept) for name, kept in run.mask.items())
            return
        for layer, name in enumerate(sorted(run.mask)):
            values = state[name].flatten().tolist()
            live, dropped = places(before[name]), set()
            for side in ([i for i in live if values[i] >= 0], [i for i in live if values[i] < 0]):
                dropped |= set(sorted(side, key=lambda i: abs(values[i]))[: math.floor(0.5 * len(side))])
            draws = numpy_stream(3, "random_mask", layer, run.step).random(len(values)).tolist()
            free = sorted(set(range(len(values))) - (live - dropped), key=lambda i: draws[i])
            assert places(run.mask[name]) == live - dropped | set(free[len(free) - len(dropped) :])
            grown.append(tuple(sorted(places(run.mask[name]) - live)))

    trained(watched(run, note))
    assert len(set(grown)) > 8
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


def test_granet_is_a_naive_loop_of_cuts_drops_and_growth(tmp_path):
    """Four cuts up to step 16 of 25, each of the smallest of all weights, and further moves at steps 20 and 24. The
    count of drops is rounded up."""
    run, changes = with_granet(tmp_path, cuts=4, end=0.64, regrow=0.4), []
    cuts = {4 * k: round(40 + (count_left(run.mask) - 40) * (1 - k / 4) ** 3) for k in range(1, 5)}

    def note(before: Mask, state: Gradients, gradients: Gradients) -> None:
        if run.step not in {*cuts, 20, 24}:
            assert all(torch.equal(before[name], kept) for name, kept in run.mask.items())
            return
        live = {name: places(kept) for name, kept in before.items()}
        if run.step in cuts:
            sizes = {name: state[name].abs().flatten().tolist() for name in live}
            every = sorted(
                ((name, i) for name in live for i in live[name]), key=lambda place: sizes[place[0]][place[1]]
            )
            for name, i in every[: len(every) - cuts[run.step]]:
                live[name].remove(i)
        fraction = 0.005 + (0.4 - 0.005) / 2 * (1 + math.cos(math.pi * run.step / 25))
        for name, kept in run.mask.items():
            count = math.ceil(fraction * len(live[name]))
            assert moved_by_hand(live[name], count, state[name], gradients[name]) == places(kept)
            changes.append(len(places(kept) - places(before[name])))

    trained_beside_a_dense_copy(run, note)
    assert sum(count > 0 for count in changes) > 4


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
