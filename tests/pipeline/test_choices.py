"""Levels of other choices than iterative magnitude pruning, from params.yaml to the pictures."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from tests.pipeline.clone import Clone, in_this_process
from tests.tickets.test_level import same
from winnow.datasets.images import load_facts, load_split
from winnow.experiment import load_params
from winnow.storage import load_table
from winnow.tickets.files import Ticket, load_ticket
from winnow.tickets.rewind import load_rewind_point, rewind_step
from winnow.training.batches import to_device
from winnow.training.distillation import teaching
from winnow.training.evaluate import log_probabilities
from winnow.training.loop import Beginning, start, train
from winnow.training.schedule import make_schedule

pytestmark = pytest.mark.pipeline
CPU = torch.device("cpu")

LEVELS = {
    "s": {"parent": "none", "criterion": "snip", "batches": 2, "batch_size": 64, "allocation": "erk", "prune": 0.8},
    "s2": {"parent": "s", "prune": 0.4},
    "la": {"parent": "dense", "allocation": "lamp", "prune": 0.8},
    "g": {"parent": "none", "rewind": "early", "when": "gradual", "cuts": 4, "schedule": "full", "prune": 0.8},
}


def without_landscape(clone: Clone) -> None:
    """Measure no level but against its parent and dense."""
    clone.set("connectivity.matrix", [])
    clone.set("curvature.levels", [])
    clone.set("perturbation.runs", {})


def test_snip_lamp_and_gradual_levels_from_end_to_end(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.set("pruning.levels", {name: {"rewind": "dense", "data": "full", **level} for name, level in LEVELS.items()})
    without_landscape(clone)
    clone.set("connectivity.matrix", ["dense", "s"])
    for stage in ("check", *(f"prune@{name}" for name in LEVELS), "connectivity", "tickets", "ticket_figures"):
        in_this_process(clone, stage, monkeypatch)()
    assert {path.name for path in clone.path("data/tickets").iterdir()} == {"none", "dense", *LEVELS}
    lines = {path.name for path in clone.path("data/landscape/lines/levels").iterdir()}
    assert lines == {"s-s2", "dense-s", "dense-s2", "dense-la", "dense-g"}
    found = json.loads(clone.path("metrics/tickets.json").read_text())
    assert {name: found[name]["variant"] for name in LEVELS} == {
        "s": "snip+erk+batch_size=64+batches=2",
        "s2": "imp",
        "la": "lamp",
        "g": "gradual+full+cuts=4",
    }
    assert {name: found[name]["density"] for name in LEVELS} == pytest.approx(
        {"s": 0.2, "s2": 0.12, "la": 0.2, "g": 0.2}, abs=0.002
    )
    assert found["s"]["parent"] == "none"
    assert found["s"]["barrier_to_parent"] is None
    assert found["s2"]["barrier_to_parent"] >= 0
    assert found["g"]["barrier_to_dense"] >= 0
    same = json.loads(clone.path("metrics/landscape.json").read_text())["connected_to_parent_and_matching"]
    assert sum(same.values()) == 2  # s2 and la are steps from a trained parent
    for name in LEVELS:
        for seed in (200, 201):
            ticket = load_ticket(clone.path(f"data/tickets/{name}/seed{seed}/ticket.safetensors"))
            assert density(ticket) == pytest.approx(found[name]["density"])
            state = ticket.state_dict()
            assert all(not state[layer][~kept].any() for layer, kept in ticket.mask.items())
    assert clone.path("plots/ticket_pictures/errors.png").exists()


def test_levels_that_need_little_training_from_end_to_end(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = {
        "m": {"when": "movement", "cuts": 3, "weights": "trained", "schedule": "last_rate"},
        "j": {"when": "lottery_jackpots", "weights": "trained"},
        "p": {"variant": "perp"},
        "n": {"criterion": "lrp", "weights": "corrected", "schedule": "no_training", "allocation": "multiplications"},
        "u": {"criterion": "woodfisher", "batches": 1, "block": 100, "weights": "updated", "schedule": "last_rate"},
    }
    usual = {"parent": "dense", "rewind": "dense", "data": "full", "prune": 0.5}
    clone.set("pruning.levels", {name: {**usual, **level} for name, level in levels.items()})
    without_landscape(clone)
    for stage in ("check", *(f"prune@{name}" for name in levels), "connectivity", "tickets", "ticket_figures"):
        in_this_process(clone, stage, monkeypatch)()
    found = json.loads(clone.path("metrics/tickets.json").read_text())
    assert {name: found[name]["variant"] for name in levels} == {
        "m": "movement+trained+last_rate+cuts=3",
        "j": "lottery_jackpots+trained",
        "p": "perp",
        "n": "lrp+multiplications+corrected+no_training",
        "u": "woodfisher+updated+last_rate+batches=1+block=100",
    }
    assert [found[name]["density"] for name in levels] == pytest.approx([0.5] * 5, abs=0.002)


def test_a_teacher_and_a_training_for_the_dense_budget(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    levels = {
        "cut": {"parent": "dense", "prune": 0.8},
        "taught": {"parent": "dense", "prune": 0.8, "distil": 0.7},
        "fresh": {"parent": "cut", "variant": "fresh"},
        "longer": {"parent": "cut", "variant": "longer"},
    }
    clone.set("pruning.levels", {name: {"rewind": "dense", "data": "full", **level} for name, level in levels.items()})
    without_landscape(clone)
    for stage in ("check", *(f"prune@{name}" for name in levels)):
        in_this_process(clone, stage, monkeypatch)()
    training, folder = load_params(clone.path("params.yaml")).dense.training, clone.path("data/images")
    images = to_device(load_split(folder, "train"), load_facts(folder), CPU)
    for seed in (200, 201):
        cut, taught, dense = (load_ticket(at(clone, name, seed)) for name in ("cut", "taught", "dense"))
        assert same(cut.mask, taught.mask)
        assert not same(cut.state_dict(), taught.state_dict())
        teacher = teaching(log_probabilities(dense.network, images), 0.7, 4.0, CPU)
        rewind = clone.path(f"data/rewind/dense/seed{seed}/network.safetensors")
        dense.network.load_state_dict(load_rewind_point(rewind))
        run = start(Beginning(dense.network, seed, taught.mask), tmp_path / str(seed), rewind_step(rewind), 1)
        for _ in train(
            [run], images.taught(teacher), training, make_schedule(training, len(images)), lambda _steps: None
        ):
            pass
        assert same(run.network.state_dict(), taught.state_dict())
        epochs = {name: len(load_table(at(clone, name, seed).with_name("history.csv"))) for name in levels}
        assert epochs["longer"] == 2 * epochs["fresh"]


def at(clone: Clone, level: str, seed: int) -> Path:
    return clone.path(f"data/tickets/{level}/seed{seed}/ticket.safetensors")


def density(ticket: Ticket) -> float:
    kept = sum(int(layer.sum()) for layer in ticket.mask.values())
    return kept / sum(layer.numel() for layer in ticket.mask.values())


def test_two_of_every_four_inputs_of_a_trained_network(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    level = {"parent": "dense", "rewind": "dense", "data": "full", "structure": "n_of_m", "weights": "trained"}
    clone.set("pruning.levels", {"half": level})
    without_landscape(clone)
    for stage in ("check", "prune@half", "connectivity", "tickets"):
        in_this_process(clone, stage, monkeypatch)()
    found = json.loads(clone.path("metrics/tickets.json").read_text())["half"]
    assert found["variant"] == "n_of_m+trained"
    assert found["density"] == pytest.approx(0.5, abs=0.05)  # the first layer, of one channel, stays
    assert "winnow/pruning/structures/n_of_m.py" in clone.path("data/code/prune/half.txt").read_text()
    ticket = load_ticket(clone.path("data/tickets/half/seed200/ticket.safetensors"))
    grouped = [kept for kept in ticket.mask.values() if kept.shape[1] % 4 == 0]
    assert len(grouped) == len(ticket.mask) - 1
    assert all((kept.unflatten(1, (-1, 4)).sum(2) == 2).all() for kept in grouped)


def test_channels_of_a_trained_network(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    level = {"parent": "dense", "rewind": "dense", "data": "full", "structure": "channels", "weights": "trained"}
    clone.set("pruning.levels", {"half": {**level, "criterion": "filter_norm", "prune": 0.5}})
    without_landscape(clone)
    for stage in ("check", "prune@half", "connectivity", "tickets"):
        in_this_process(clone, stage, monkeypatch)()
    found = json.loads(clone.path("metrics/tickets.json").read_text())["half"]
    assert found["variant"] == "filter_norm+channels+trained"
    assert 0.4 < found["density"] <= 0.5
    assert "winnow/pruning/channel_groups.py" in clone.path("data/code/prune/half.txt").read_text()
    ticket = load_ticket(clone.path("data/tickets/half/seed200/ticket.safetensors"))
    weights = [weight != 0 for name, weight in ticket.network.named_parameters() if name in ticket.mask]
    for layer, after in pairwise(weights):
        assert torch.equal(layer.flatten(1).any(1), after.transpose(0, 1).flatten(1).any(1))
    assert weights[-1].any(1).all()


def test_dvc_runs_a_level_without_a_parent(clone: Clone) -> None:
    level = {"parent": "none", "rewind": "dense", "data": "full", "criterion": "snip", "batch_size": 64, "prune": 0.5}
    clone.set("pruning.levels.s", level)
    assert clone.repro("prune@s") == ["prune@s"]
    clone.do("rm", "data/tickets/none")  # as in a clone of the repository, in which DVC checks it out
    clone.set("pruning.levels.s.prune", 0.6)
    assert clone.make("prune@s") == ["prune@s"]
    clone.do("dvc", "checkout", "dense")
    assert clone.path("data/tickets/none").is_file()


def test_what_a_criterion_cannot_do_names_the_level(clone: Clone, monkeypatch, user_error) -> None:
    clone.set(
        "pruning.levels.s",
        {"parent": "none", "rewind": "dense", "data": "full", "criterion": "snip", "batch_size": 500, "prune": 0.5},
    )
    in_this_process(clone, "check", monkeypatch)()
    with user_error("pruning.levels.s: batch_size: 1 x 500 images, but there are only 269"):
        in_this_process(clone, "prune@s", monkeypatch)()
