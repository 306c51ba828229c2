"""Steps and weights behind a network: sums by hand, and counts of masks in real trainings."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from tests.cli.test_compare_pruning import RECIPE
from tests.training.small import TRAINING, initialised, on_device, pictures
from winnow.comparison.pruning import history
from winnow.comparison.pruning.history import _left, histories
from winnow.params.pruning import Level
from winnow.pruning.masks import count_left, ones
from winnow.recipe import expanded
from winnow.storage import save_json, save_table, save_tensors
from winnow.tickets.files import Ticket
from winnow.tickets.level import during
from winnow.tickets.rules import rule_of
from winnow.training.loop import Beginning, Changes, Run, start, train
from winnow.training.schedule import make_schedule

BASE = {"parent": "none", "rewind": "dense", "data": "full"}
# of trainings of 10 steps, with the rewind point at step 2: density, steps, fractions left summed over these steps
LEVELS = {
    "one": ({"parent": "dense", "prune": 0.5}, 0.5, 18, 10 + 8 * 0.5),
    "two": ({"parent": "one", "prune": 0.5}, 0.25, 26, 10 + 8 * 0.5 + 8 * 0.25),
    "two_fresh": ({"parent": "two", "variant": "fresh"}, 0.25, 36, 16 + 10 * 0.25),
    "two_shuffled": ({"parent": "two", "variant": "random"}, 0.25, 34, 16 + 8 * 0.25),
    "longer": ({"parent": "two", "variant": "longer"}, 0.25, 26 + 16, 16 + 16 * 0.25),
    "cut": ({"parent": "dense", "weights": "trained", "schedule": "no_training", "prune": 0.5}, 0.5, 10, 10),
    "tuned": ({"parent": "dense", "variant": "fine_tuning", "prune": 0.9}, 0.1, 18, 10 + 8 * 0.1),
    "snip": ({"rewind": "start", "criterion": "snip", "prune": 0.9}, 0.1, 10, 10 * 0.1),
    "snip_late": ({"criterion": "snip", "prune": 0.9}, 0.1, 10, 2 + 8 * 0.1),
    "other_point": ({"parent": "dense", "rewind": "late", "prune": 0.9}, 0.1, 10 + 4 + 6, 10 + 4 + 6 * 0.1),
    "rigl": ({"rewind": "start", "criterion": "random", "when": "rigl", "prune": 0.8}, 0.2, 10, 10 * 0.2),
    "untrained": ({"rewind": "start", "schedule": "no_training", "prune": 0.5}, 0.5, 0, 0),
    # at the start of steps 0 to 4 all weights are there, then those that remain
    "gradual": ({"rewind": "start", "when": "gradual", "cuts": 1, "end": 0.5, "prune": 0.8}, 0.2, 10, 5 + 5 * 0.2),
    # from step 2 on; cuts after steps 4 and 6, to 0.2 + 0.8 / 8 and to 0.2
    "granet": ({"when": "granet", "cuts": 2, "end": 0.5, "prune": 0.8}, 0.2, 10, 2 + 2 + 2 * 0.3 + 4 * 0.2),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the comparison reads of a project, and nothing else."""
    monkeypatch.chdir(tmp_path)
    levels = {name: {**BASE, **level} for name, (level, *_) in LEVELS.items()}
    recipe = YAML(typ="safe").load(RECIPE)
    recipe["trainings"]["short"] = {"length": "10 steps", "decay_at": [], "warmup": "0 steps"}
    recipe["dense"] = {"seeds": [7, 8], "rewind": "2 steps"}
    recipe["pruning"] = {"rewinds": {"start": {"data": "full", "length": "0 steps"},
                                     "late": {"data": "full", "length": "4 steps"}}, "levels": levels}  # fmt: skip
    Path("recipes").mkdir()
    with Path("recipes/hand.yaml").open("w") as file:
        YAML().dump(recipe, file)
    Path("params.yaml").write_text(expanded("hand"))
    save_json("data/images/dataset.json", {"images": {"train": 300, "validation": 0, "test": 100}})
    for seed in (7, 8):
        save_tensors(f"data/tickets/dense/seed{seed}/ticket.safetensors", {"x": np.zeros(1)}, {"weights_left": 1000})
        for name, steps in (("dense", 2), ("start", 0), ("late", 4)):
            save_tensors(f"data/rewind/{name}/seed{seed}/network.safetensors", {"x": np.zeros(1)}, {"steps": steps})
    for name, density in [("dense", 1.0), *((name, density) for name, (_, density, *_) in LEVELS.items())]:
        rows = [(seed, split, density) for seed in (7, 8) for split in ("train", "test")]
        save_table(f"data/tickets/{name}/results.csv", pd.DataFrame(rows, columns=["seed", "split", "density"]))
    return tmp_path


def test_sums_by_hand(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in (7, 8):  # with 10 / 16 of the multiplications, so a training of 16 steps
        save_tensors(f"data/tickets/longer/seed{seed}/ticket.safetensors", {"x": np.zeros(1)}, {})
    monkeypatch.setattr(history, "load_ticket", lambda path: path.parts[-3])
    monkeypatch.setattr(history, "multiplications_left", {"longer": 10 / 16}.__getitem__)
    found = histories(project).set_index(["level", "seed"])
    assert len(found) == 2 * (1 + len(LEVELS))
    for seed in (7, 8):
        assert found.loc[("dense", seed)].tolist() == [10, 1, 1]
        for name, (_, _, steps, weights) in LEVELS.items():
            mean = weights / steps if steps else math.nan
            assert found.loc[(name, seed)].tolist() == pytest.approx([steps, mean, weights / 10], nan_ok=True), name


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ({"when": "gradual"}, 0),
        ({"when": "gradual", "begin": 0.2, "end": 0.9, "cuts": 4}, 3),
        ({"when": "granet", "cuts": 4}, 0),
        ({"when": "movement", "cuts": 5, "begin": 0.1}, 0),
        ({"when": "rigl", "criterion": "random", "every": 2}, 2),
        ({"when": "sparse_evolution", "criterion": "random", "every": 3}, 0),
        ({"when": "edge_popup", "allocation": "uniform"}, 0),
        ({"when": "lottery_jackpots"}, 0),
        ({}, 0),
    ],
)
def test_counts_are_those_of_the_masks_in_a_real_training(tmp_path: Path, options: dict, first: int) -> None:
    """The mask is counted by the loop's own hook, before the level's hook changes it."""
    rule = rule_of("level", Level(**BASE, prune=0.9, **options), 0)
    images, schedule = on_device(pictures()), make_schedule(TRAINING, 43)
    network = initialised(3)
    mask, every = ones(network), count_left(ones(network))
    if rule.moves or not rule.during:  # pruned before the training
        kept = np.random.default_rng(0).permutation(every) < every // 10
        parts = np.split(kept, np.cumsum([layer.numel() for layer in mask.values()])[:-1])
        mask = {name: layer.new_tensor(part).reshape(layer.shape)
                for (name, layer), part in zip(mask.items(), parts, strict=True)}  # fmt: skip
    changes = during(rule, schedule, first, images)(Ticket(network, mask, {}), 3) or Changes(lambda _run: None)
    counts: list[int] = []

    def noted(run: Run) -> None:
        counts.append(count_left(run.mask))
        changes.after_step(run)

    run = start(
        Beginning(network, 3, mask, {}, replace(changes, after_step=noted)),
        tmp_path / "run",
        first,
        first // schedule.epoch,
    )
    for _ in train([run], images, TRAINING, schedule, lambda _steps: None):
        pass
    assert len(counts) == schedule.total - first
    assert list(_left(rule, schedule, first, every, count_left(run.mask))) == counts
