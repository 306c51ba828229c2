"""Levels: what their training begins with and ends in, on the small training of tests/training."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.pruning.masked import Attention, cut_smallest
from tests.training.small import CLASSES, NETWORK, TRAINING, contents, initialised, on_device, pictures, state_of
from winnow.landscape.batch_norm import recalibrate_on
from winnow.networks import initialise
from winnow.params.presets import PRESETS
from winnow.params.pruning import Level
from winnow.pruning.allocations.erk import erk
from winnow.pruning.allocations.lamp import lamp
from winnow.pruning.context import Context, batches_of
from winnow.pruning.criteria.snip import snip
from winnow.pruning.criteria.woodfisher import update
from winnow.pruning.masks import Mask, apply, count_left, density, is_nested, layer_counts, ones
from winnow.pruning.prune import prune
from winnow.pruning.rule import Rule
from winnow.pruning.trains import TRAINS, freeze_others
from winnow.storage import load_table
from winnow.tickets.files import Ticket, load_ticket, save_ticket
from winnow.tickets.level import Material, begin_level, during
from winnow.tickets.rewind import (
    about_dense,
    begin_dense,
    keep_rewind_point,
    load_rewind_point,
    rewind_step,
    without_parent,
)
from winnow.tickets.rules import rule_of
from winnow.tickets.splits import evaluate
from winnow.tickets.train import from_tickets, keep_ticket
from winnow.training import loop
from winnow.training.batches import normalise
from winnow.training.fit import Task, fit, fresh
from winnow.training.schedule import Schedule, make_schedule
from winnow.training.workers import Tick

SEED, TAU = 3, 7  # the rewind point lies inside an epoch, of 5 steps
PLAN = make_schedule(TRAINING, 43)
IMAGES, SPLITS = on_device(pictures()), {"train": on_device(pictures()), "test": on_device(pictures(60, seed=2))}


def ignore(_steps: int) -> None:
    pass


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a rewind point and the dense level of one seed."""
    folder = tmp_path_factory.mktemp("dense")
    to_tau = PLAN.until_step(TAU)

    def reached(run: loop.Run) -> None:
        keep_rewind_point(run)
        begin_dense(run, NETWORK, CLASSES, IMAGES.shape, folder / "begun")

    task = Task(IMAGES, TRAINING, to_tau, fresh(NETWORK, IMAGES, CLASSES))
    fit(task, [SEED], folder / "rewind", ignore, reached)
    train(folder, PLAN, TAU)
    return folder


def train(folder: Path, schedule: Schedule, step: int, tick: Tick = ignore) -> None:
    """From the tickets in ``folder/begun`` to those in ``folder/level``."""
    task = Task(IMAGES, TRAINING, schedule, from_tickets(folder / "begun"), step)
    fit(task, [SEED], folder / "level", tick, keep_ticket(SPLITS))


def point(dense: Path) -> Path:
    return dense / "rewind" / f"seed{SEED}" / "network.safetensors"


def begun(parent: Path, dense: Path, folder: Path, variant: str, floor: int = 0, **choices: float) -> Ticket:
    """What a level begins with that is made of the parent's ticket."""
    return begun_by(rule(variant=variant, floor=floor, **choices), level_of(parent), dense, folder)


def begun_by(rule: Rule, parent: Ticket, dense: Path, folder: Path) -> Ticket:
    path = folder / "begun" / f"seed{SEED}.safetensors"
    save_ticket(path, *begin_level(rule, parent, load_rewind_point(point(dense)), SEED, Material(IMAGES, SPLITS)))
    return load_ticket(path)


def rule(floor: int = 0, parent: str = "dense", **choices: Any) -> Rule:
    level = Level.model_validate({"parent": parent, "rewind": "dense", "data": "full", **choices})
    return rule_of("x", level, floor)


def planned(variant: str) -> tuple[Schedule, int]:
    amount = {"prune": {"prune": 0.5}, "max_error_rise": {"max_error_rise": 0.1}, None: {}}[PRESETS[variant].amount]
    return rule(variant=variant, **amount).schedule(PLAN, TAU, lambda: 0.5)


def trained(folder: Path, variant: str) -> Ticket:
    train(folder, *planned(variant))
    return level_of(folder)


def level_of(folder: Path) -> Ticket:
    return load_ticket(folder / "level" / f"seed{SEED}" / "ticket.safetensors")


def loop_alone(
    network: nn.Module,
    folder: Path,
    schedule: Schedule,
    mask: Mask | None = None,
    changes: loop.Changes | None = None,
) -> dict[str, torch.Tensor]:
    """What the training loop itself makes of a network, from step 0 of the schedule to its end."""
    run = loop.start(loop.Beginning(network, SEED, mask or {}, changes=changes), folder)
    for _ in loop.train([run], IMAGES, TRAINING, schedule, ignore):
        pass
    return state_of(run.network)


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_the_rewind_point_is_the_training_up_to_it(dense: Path, tmp_path: Path) -> None:
    network = initialised(SEED)
    assert same(load_rewind_point(point(dense)), loop_alone(network, tmp_path / "run", PLAN.until_step(TAU)))
    assert rewind_step(point(dense)) == TAU


def test_level_0_equals_the_dense_run(dense: Path, tmp_path: Path) -> None:
    """The dense run is one training that never stops, and loses its momentum before the step of the rewind point."""

    def lose_momentum(run: loop.Run) -> None:
        if run.step == TAU:
            for velocity in run.moments.values():
                assert velocity.any()
                velocity.zero_()

    alone = loop_alone(initialised(SEED), tmp_path / "run", PLAN, changes=loop.Changes(lose_momentum))
    assert same(level_of(dense).state_dict(), alone)
    assert density(level_of(dense).mask) == 1


def test_the_variant_dense_on_the_same_data_is_level_0_again(dense: Path, tmp_path: Path) -> None:
    begun(dense, dense, tmp_path, "dense")
    again = trained(tmp_path, "dense")
    assert same(again.state_dict(), level_of(dense).state_dict())
    assert density(again.mask) == 1


def test_survivors_are_rewound_bit_for_bit(dense: Path, tmp_path: Path) -> None:
    parent, tau = level_of(dense), load_rewind_point(point(dense))
    ticket = begun(dense, dense, tmp_path, "imp", prune=0.4)
    assert same(ticket.mask, cut_smallest(parent.state_dict(), parent.mask, 0.4))
    assert same(ticket.state_dict(), apply(tau, ticket.mask))


def test_masks_are_nested_and_shrink_by_the_fraction(dense: Path, tmp_path: Path) -> None:
    parent, size = dense, count_left(level_of(dense).mask)
    for level in range(1, 5):
        folder = tmp_path / f"{level}"
        begun(parent, dense, folder, "imp", prune=0.2)
        mask = trained(folder, "imp").mask
        assert is_nested(mask, level_of(parent).mask)
        assert abs(count_left(mask) - 0.8**level * size) < 2.5
        parent = folder


def test_pruned_weights_are_zero_after_every_step(dense: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mask = begun(dense, dense, tmp_path, "imp", prune=0.5).mask
    steps, optimiser_step = [], loop.optimiser_step

    def checked(run: loop.Run, *rest: float) -> None:
        optimiser_step(run, *rest)
        state = run.network.state_dict()
        steps.append(all(not state[name][~layer].any() for name, layer in mask.items()))

    monkeypatch.setattr(loop, "optimiser_step", checked)
    trained(tmp_path, "imp")
    assert steps == [True] * (PLAN.total - TAU)


def test_where_each_variant_begins(dense: Path, tmp_path: Path) -> None:
    parent, tau = level_of(dense).state_dict(), load_rewind_point(point(dense))
    weights: dict[str, dict[str, torch.Tensor]] = {
        "imp": tau,
        "one_shot": tau,
        "trial": tau,
        "learning_rate": parent,
        "fine_tuning": parent,
        "perp": parent,
    }
    for variant, expected in weights.items():
        ticket = begun(dense, dense, tmp_path / variant, variant, prune=0.3)
        assert same(ticket.state_dict(), apply(expected, ticket.mask))
    rates = {variant: [planned(variant)] for variant in PRESETS}
    for variant, [(schedule, first)] in rates.items():
        assert first == (0 if variant in ("fresh", "longer") else TAU)
        assert schedule.total == (2 if variant == "longer" else 1) * PLAN.total
        if variant != "longer":
            expected_rates = [
                PLAN.learning_rate(PLAN.total - 1 if variant == "fine_tuning" else s) for s in range(PLAN.total)
            ]
            assert [schedule.learning_rate(step) for step in range(PLAN.total)] == pytest.approx(expected_rates)


@pytest.mark.parametrize(("left", "times"), [(1.0, 1), (0.8, 1.25), (0.5, 2), (0.1, 2), (0.0, 2)])
def test_a_training_for_the_dense_budget_takes_at_most_twice_as_long(left: float, times: float) -> None:
    schedule, first = rule(criterion="none", weights="fresh", schedule="same_budget").schedule(PLAN, TAU, lambda: left)
    assert (schedule, first) == (PLAN.stretched(times), 0)


def test_random_and_fresh_keep_the_counts(dense: Path, tmp_path: Path) -> None:
    begun(dense, dense, tmp_path / "imp", "imp", prune=0.6)
    parent = trained(tmp_path / "imp", "imp")
    random = begun(tmp_path / "imp", dense, tmp_path / "random", "random")
    fresh = begun(tmp_path / "imp", dense, tmp_path / "fresh", "fresh")
    assert layer_counts(random.mask) == layer_counts(parent.mask)
    assert not same(random.mask, parent.mask)
    assert same(random.state_dict(), apply(load_rewind_point(point(dense)), random.mask))
    assert same(fresh.mask, parent.mask)
    initial = initialise(NETWORK, CLASSES, IMAGES.shape, SEED).state_dict()
    live = torch.cat([(fresh.state_dict()[name] != initial[name])[layer] for name, layer in fresh.mask.items()])
    assert live.all()
    # all of the schedule: also the steps before the rewind point
    network = initialise(NETWORK, CLASSES, IMAGES.shape, SEED, "fresh_initialisation").to(IMAGES.device)
    alone = loop_alone(network, tmp_path / "alone", PLAN, parent.mask)
    assert same(trained(tmp_path / "fresh", "fresh").state_dict(), alone)


def test_the_adaptive_cut_stays_within_its_budget(dense: Path, tmp_path: Path) -> None:
    parent = level_of(dense)
    error = error_without_training(parent, parent.mask)
    left = {}
    for budget in (0.0, 0.1, 0.3):
        ticket = begun(dense, dense, tmp_path / f"{budget}", "adaptive", max_error_rise=budget, min_density=0.2)
        assert error_without_training(parent, ticket.mask) <= error + budget
        left[budget] = density(ticket.mask)
        assert left[budget] >= 0.2 - 0.01
    assert left[0.3] < left[0.0] <= 1  # the more is allowed, the more is cut


def test_errors_after_one_and_two_cuts(dense: Path, tmp_path: Path) -> None:
    parent = level_of(dense)
    ticket = begun(dense, dense, tmp_path, "imp", prune=0.5)
    once, twice = ticket.about["after_cuts"]
    assert once["train"] == error_without_training(parent, ticket.mask)
    assert twice["train"] == error_without_training(parent, cut_smallest(parent.state_dict(), ticket.mask, 0.5))
    trained(tmp_path, "imp")
    table = load_table(tmp_path / "level" / f"seed{SEED}" / "results.csv")
    approx = pytest.approx  # but for the last digit, which older versions of pandas read wrong
    assert table["error_after_cut"].tolist() == approx([once["train"], once["test"]], rel=1e-15)
    assert table["error_after_two_cuts"].tolist() == approx([twice["train"], twice["test"]], rel=1e-15)
    assert table["density"].tolist() == approx([density(ticket.mask)] * 2, rel=1e-15)
    measured = evaluate(level_of(tmp_path).network.to(IMAGES.device), SPLITS)
    assert table["error"].tolist() == approx([measured["train"][0], measured["test"][0]], rel=1e-15)


def test_a_second_cut_that_the_floor_forbids_has_no_error(dense: Path, tmp_path: Path) -> None:
    mask = level_of(dense).mask
    fraction = 1 - (len(mask) + 1) / count_left(mask)  # leaves one weight more than the floors
    ticket = begun(dense, dense, tmp_path, "one_shot", floor=1, prune=fraction)
    assert count_left(ticket.mask) == len(mask) + 1
    once, twice = ticket.about["after_cuts"]
    assert set(once) == {"train", "test"}
    assert twice == {}
    trained(tmp_path, "one_shot")
    table = load_table(tmp_path / "level" / f"seed{SEED}" / "results.csv")
    assert table["error_after_cut"].notna().all()
    assert table["error_after_two_cuts"].isna().all()


# Other criteria, without a parent, and inside the training


def test_a_level_without_a_parent_is_scored_at_the_rewind_point(dense: Path, tmp_path: Path) -> None:
    tau = load_rewind_point(point(dense))
    untrained = without_parent(about_dense(NETWORK, CLASSES, IMAGES.shape), tau)
    snipped = rule(parent="none", criterion="snip", batch_size=20, allocation="erk", prune=0.7, floor=1)
    ticket = begun_by(snipped, untrained, dense, tmp_path)
    network = initialised(SEED)
    network.load_state_dict(tau)
    scores = snip(Context(network, ones(network), batches_of(IMAGES, SEED), SEED), batch_size=20)
    size = count_left(ones(network))
    assert same(ticket.mask, prune(scores, ones(network), size - round(0.7 * size), erk, 1))
    assert same(ticket.state_dict(), apply(tau, ticket.mask))
    assert ticket.about["after_cuts"] == []  # there are no trained weights
    train(tmp_path, *snipped.schedule(PLAN, TAU, lambda: 0.5))
    assert same(level_of(tmp_path).mask, ticket.mask)
    table = load_table(tmp_path / "level" / f"seed{SEED}" / "results.csv")
    assert table[["error_after_cut", "error_after_two_cuts"]].isna().all(axis=None)


def test_the_second_cut_is_by_the_levels_own_criterion_and_allocation(dense: Path, tmp_path: Path) -> None:
    parent = level_of(dense)
    ticket = begun_by(rule(allocation="lamp", prune=0.5), parent, dense, tmp_path)
    size = count_left(parent.mask)
    scores = {name: weight.abs() for name, weight in parent.state_dict().items()}
    first = prune(scores, parent.mask, size // 2, lamp)
    assert same(ticket.mask, first)
    assert not same(first, cut_smallest(parent.state_dict(), parent.mask, 0.5))
    second = prune(scores, first, round(count_left(first) * count_left(first) / size), lamp)
    assert ticket.about["after_cuts"][1]["train"] == error_without_training(parent, second)


def test_updated_survivors_start_from_the_changed_weights_of_the_parent(dense: Path, tmp_path: Path) -> None:
    parent = level_of(dense)
    options = {"batches": 1, "batch_size": 40, "block": 20, "damping": 1e-2}
    updating = rule(criterion="woodfisher", weights="updated", prune=0.5, **options)
    ticket = begun_by(updating, parent, dense, tmp_path)
    plain = begun_by(rule(criterion="woodfisher", weights="trained", prune=0.5, **options), parent, dense, tmp_path)
    assert same(ticket.mask, plain.mask)
    there = copy.deepcopy(parent.network).to(IMAGES.device)
    changed = update(Context(there, parent.mask, batches_of(IMAGES, SEED), SEED), ticket.mask, **options)
    assert same(ticket.state_dict(), parent.state_dict() | {name: weight.cpu() for name, weight in changed.items()})
    assert not same(ticket.state_dict(), plain.state_dict())
    once, twice = ticket.about["after_cuts"]
    assert once["train"] == error_without_training(ticket, ticket.mask)
    assert twice == {}


def test_corrected_survivors_keep_the_mean_outputs_of_their_layers(dense: Path, tmp_path: Path) -> None:
    parent = level_of(dense)
    ticket = begun_by(rule(weights="corrected", prune=0.6), parent, dense, tmp_path)
    plain = initialised(0)
    plain.load_state_dict(apply(parent.state_dict(), ticket.mask))
    recalibrate_on(plain, IMAGES)
    changed = {name for name, tensor in ticket.state_dict().items() if not torch.equal(tensor, state_of(plain)[name])}
    biases = {
        name
        for name, layer in plain.named_modules()
        if isinstance(layer, nn.Linear | nn.Conv2d) and layer.bias is not None
    }
    assert changed == {f"{name}.bias" for name in biases}
    logits = [logits_of(network) for network in (parent.network, ticket.network, plain)]
    torch.testing.assert_close(logits[0].mean(0), logits[1].mean(0), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(logits[0].mean(0), logits[2].mean(0), atol=1e-3)
    once, twice = ticket.about["after_cuts"]
    assert once["train"] == evaluate(ticket.network, {"train": IMAGES})["train"][0]
    assert twice == {}


def logits_of(network: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return network.eval().to(IMAGES.device)(normalise(IMAGES.at(slice(None)), IMAGES))


def test_updated_weights_need_a_criterion_that_updates_and_a_parent() -> None:
    for weights in ("updated", "corrected"):
        with pytest.raises(ValueError, match=rf"^pruning.levels.x.weights: {weights} is for levels pruned before"):
            rule(criterion="woodfisher", when="gradual", weights=weights, prune=0.5)
    for choices in ({}, {"criterion": "none", "prune": None}):
        with pytest.raises(
            ValueError, match=r"^pruning.levels.x.weights: updated needs a criterion that has an update"
        ):
            rule(**{"weights": "updated", "prune": 0.5, **choices})
    with pytest.raises(ValueError, match=r"^pruning.levels.x.weights: without a parent"):
        rule(parent="none", criterion="woodfisher", weights="updated", prune=0.5)


@pytest.mark.parametrize("trains", ["biases", "norms", "norms_and_biases"])
def test_what_does_not_train_keeps_its_bytes_and_the_rest_trains_as_beside_it(
    dense: Path, tmp_path: Path, trains: str
) -> None:
    """The others, put back after every step of a training of all parameters, give the same training."""
    parent, few = level_of(dense), rule(weights="trained", trains=trains, prune=0.5)
    begun = begun_by(few, parent, dense, tmp_path)
    begin = from_tickets(tmp_path / "begun", trains=few.trains)
    fit(Task(IMAGES, TRAINING, PLAN, begin, TAU), [SEED], tmp_path / "level", ignore, keep_ticket(SPLITS))
    found, before = level_of(tmp_path).state_dict(), begun.state_dict()
    norms = {name for name in before if name.rpartition(".")[0] + ".running_mean" in before and "running" not in name}
    free = {name for name in before if name.endswith("bias") and trains != "norms"}
    free |= {name for name in norms if "tracked" not in name and trains != "biases"}
    assert 0 < len(free) < sum(1 for _ in begun.network.parameters())
    network = initialised(0)
    network.load_state_dict(before)

    def put_back(run: loop.Run) -> None:
        for name, parameter in run.network.named_parameters():
            if name not in free:
                parameter.data.copy_(before[name])

    start = loop.Beginning(network, SEED, begun.mask, {}, loop.Changes(put_back))
    run = loop.start(start, tmp_path / "alone", TAU, TAU // PLAN.epoch)
    for _ in loop.train([run], IMAGES, TRAINING, PLAN, ignore):
        pass
    assert same(found, state_of(run.network))
    assert all(torch.equal(found[name], before[name]) != (name in free) for name, _ in network.named_parameters())


def test_without_a_training_only_batch_norm_adapts(dense: Path, tmp_path: Path) -> None:
    parent, untrained = level_of(dense), rule(weights="trained", schedule="no_training", prune=0.5)
    begun_by(untrained, parent, dense, tmp_path)
    train(tmp_path, *untrained.schedule(PLAN, TAU, lambda: 0.5))
    found, network = level_of(tmp_path), initialised(0)
    network.load_state_dict(apply(parent.state_dict(), found.mask))
    assert not same(found.state_dict(), state_of(network))
    recalibrate_on(network, IMAGES)
    assert same(found.state_dict(), state_of(network))
    table = load_table(tmp_path / "level" / f"seed{SEED}" / "results.csv")
    assert table["error"].tolist() == pytest.approx(table["error_after_cut"].tolist())
    assert load_table(tmp_path / "level" / f"seed{SEED}" / "history.csv").empty


def test_what_cannot_be_retrained_so_is_told() -> None:
    for choices, words in (
        ({"trains": "heads"}, "trains: must be one of all, biases, norms, norms_and_biases, low_rank, not heads"),
        ({"trains": "norms", "when": "rigl"}, "trains: norms is for levels pruned once; leave it out"),
        ({"schedule": "no_training", "when": "gradual"}, "schedule: no_training is for levels pruned once"),
        ({"schedule": "no_training", "trains": "norms"}, "trains: schedule no_training trains none; leave it out"),
    ):
        with pytest.raises(ValueError, match=f"^pruning.levels.x.{words}"):
            rule(prune=0.5, **choices)


def test_parameters_that_a_network_lacks_are_told() -> None:
    linear = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    with pytest.raises(ValueError, match=r"^trains: the network has no such parameters"):
        freeze_others(linear, TRAINS["norms"], ones(linear), 0)
    attention = Attention()
    assert TRAINS["biases"](attention) == {
        "linear.bias", "conv.bias", "bn.bias", "attention.in_proj_bias", "attention.out_proj.bias", "norm.bias",
    }  # fmt: skip
    assert TRAINS["norms"](attention) == {"bn.weight", "bn.bias", "norm.weight", "norm.bias"}


def test_a_gradual_level_begins_with_its_parents_mask_and_ends_at_its_own_cut(dense: Path, tmp_path: Path) -> None:
    parent = level_of(dense)
    gradual = rule(when="gradual", cuts=6, prune=0.8)
    ticket = begun_by(gradual, parent, dense, tmp_path)
    assert same(ticket.mask, parent.mask)
    assert ticket.about["after_cuts"] == []

    def trained_in(folder: Path, tick: Tick = ignore) -> None:
        begin = from_tickets(tmp_path / "begun", changes=during(gradual, PLAN, TAU, IMAGES))
        fit(Task(IMAGES, TRAINING, PLAN, begin, TAU), [SEED], folder / "level", tick, keep_ticket(SPLITS))

    trained_in(tmp_path / "one")
    found = level_of(tmp_path / "one")
    assert count_left(found.mask) == round(0.2 * count_left(parent.mask))
    assert all(not found.state_dict()[name][~layer].any() for name, layer in found.mask.items())
    calls = []

    def interrupt(steps: int) -> None:
        calls.append(steps)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("winnow.training.loop.SECONDS_BETWEEN_SAVES", 0)
        with pytest.raises(KeyboardInterrupt):
            trained_in(tmp_path / "two", interrupt)
    trained_in(tmp_path / "two")
    assert contents(tmp_path / "one" / "level") == contents(tmp_path / "two" / "level")


def test_a_level_that_moves_weights_is_pruned_before_and_keeps_its_counts(dense: Path, tmp_path: Path) -> None:
    parent = level_of(dense)
    moving = rule(criterion="random", allocation="erk", when="rigl", every=3, prune=0.8)
    ticket = begun_by(moving, parent, dense, tmp_path)
    assert same(
        ticket.mask, begun_by(rule(criterion="random", allocation="erk", prune=0.8), parent, dense, tmp_path).mask
    )
    assert count_left(ticket.mask) == round(0.2 * count_left(parent.mask))
    begin = from_tickets(tmp_path / "begun", changes=during(moving, PLAN, TAU, IMAGES))
    fit(Task(IMAGES, TRAINING, PLAN, begin, TAU), [SEED], tmp_path / "level", ignore, keep_ticket(SPLITS))
    found = level_of(tmp_path)
    assert layer_counts(found.mask) == layer_counts(ticket.mask)
    assert not same(found.mask, ticket.mask)
    assert all(not found.state_dict()[name][~layer].any() for name, layer in found.mask.items())


def test_weights_may_move_from_a_parents_mask_or_after_an_adaptive_cut(dense: Path, tmp_path: Path) -> None:
    parent = level_of(dense)
    for choices in ({"criterion": "none"}, {"max_error_rise": 0.1}):
        before, moving = rule(**choices), rule(when="sparse_evolution", **choices)
        masks = [begun_by(one, parent, dense, tmp_path).mask for one in (before, moving)]
        assert same(*masks)


def test_what_a_gradual_level_cannot_do_is_told_before_its_training(dense: Path, tmp_path: Path) -> None:
    for choices, words in (({"begin": 0.9}, "^end: 0.75"), ({"prune": 0.99, "floor": 50}, "^floor: 50")):
        gradual = rule(**{"when": "gradual", "prune": 0.8, **choices})
        with pytest.raises(ValueError, match=words):
            begun_by(gradual, level_of(dense), dense, tmp_path)


def error_without_training(ticket: Ticket, mask: dict[str, torch.Tensor]) -> float:
    network = initialised(0)
    network.load_state_dict(apply(ticket.state_dict(), mask))
    recalibrate_on(network, IMAGES)
    return evaluate(network, {"train": IMAGES})["train"][0]


def test_an_interrupted_level_is_the_level_in_one(dense: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.training.loop.SECONDS_BETWEEN_SAVES", 0)
    for folder in (tmp_path / "one", tmp_path / "two"):
        begun(dense, dense, folder, "imp", prune=0.4)
    trained(tmp_path / "one", "imp")
    schedule, first = planned("imp")
    calls = []

    def interrupt(steps: int) -> None:
        calls.append(steps)
        if len(calls) == 3:
            raise KeyboardInterrupt

    place = tmp_path / "two"
    with pytest.raises(KeyboardInterrupt):
        train(place, schedule, first, interrupt)
    train(place, schedule, first)
    assert contents(tmp_path / "one" / "level") == contents(tmp_path / "two" / "level")
    history = load_table(tmp_path / "one" / "level" / f"seed{SEED}" / "history.csv")
    assert history["epoch"].tolist() == [2, 3, 4, 5]  # the first was over before the rewind point


def test_another_order_of_data_trains_other_weights(dense: Path, tmp_path: Path) -> None:
    begun(dense, dense, tmp_path, "dense")
    other = tmp_path / "other"
    task = Task(IMAGES, TRAINING, PLAN, from_tickets(tmp_path / "begun", lambda seed: seed + 1), TAU)
    fit(task, [SEED], other, ignore, keep_ticket(SPLITS))
    ticket = load_ticket(other / f"seed{SEED}" / "ticket.safetensors")
    assert not same(ticket.state_dict(), level_of(dense).state_dict())
    assert load_table(other / f"seed{SEED}" / "results.csv")["seed"].tolist() == [SEED, SEED]
    assert set(load_table(other / f"seed{SEED}" / "history.csv")["seed"]) == {SEED}
