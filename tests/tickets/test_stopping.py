"""The step of early stopping against a training that is stopped after every few steps in turn."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.tickets.test_level import IMAGES, PLAN, SEED, SPLITS
from tests.training.small import CLASSES, NETWORK, TRAINING, initialised, interrupted, on_device, pictures
from winnow.storage import load_table
from winnow.tickets.rewind import begin_dense, keep_rewind_point
from winnow.tickets.stopping import STOPPING, measure, stop_of
from winnow.tickets.train import from_tickets, keep_ticket
from winnow.training import loop
from winnow.training.batches import normalise
from winnow.training.fit import Task, fit, fresh
from winnow.training.loop import Beginning, start, train

ALL = {**SPLITS, "validation": on_device(pictures(30, seed=5))}
EVERY = 3  # steps
FAST = TRAINING.model_copy(update={"learning_rate": 0.5, "warmup": "0 steps"})  # it overfits


def level(folder: Path) -> Path:
    """The dense level from step 0, measured as it trains."""

    def reached(run: loop.Run) -> None:
        keep_rewind_point(run)
        begin_dense(run, NETWORK, CLASSES, IMAGES.shape, folder / "begun")

    if not (folder / "begun").exists():
        fit(Task(IMAGES, FAST, PLAN.until_step(0), fresh(NETWORK, IMAGES, CLASSES)), [SEED], folder / "rewind",
            lambda steps: None, reached)  # fmt: skip
    task = Task(IMAGES, FAST, PLAN, from_tickets(folder / "begun"), watch=measure(ALL, EVERY))
    fit(task, [SEED], folder / "level", lambda steps: None, keep_ticket(ALL))
    return folder / "level"


def stopped_at(folder: Path, step: int) -> tuple[float, float]:
    """Validation loss and test error after so many steps, image by image."""
    network = initialised(SEED)
    run = start(Beginning(network, SEED), folder / f"{step}")
    for _ in train([run], IMAGES, FAST, PLAN.until_step(step), lambda steps: None):
        pass
    network.eval()
    losses, wrong = [], []
    with torch.no_grad():
        for name, found in (("validation", losses), ("test", wrong)):
            part = ALL[name]
            for image, label in zip(normalise(part.pixels, part), part.labels, strict=True):
                logits = network(image[None])[0]
                if name == "validation":
                    found.append(float(logits.logsumexp(0) - logits[label]))
                else:
                    found.append(int(logits.argmax()) != int(label))
    return float(np.mean(losses)), float(np.mean(wrong))


def test_it_is_the_step_with_the_lowest_validation_loss(tmp_path: Path) -> None:
    found = load_table(level(tmp_path) / f"seed{SEED}/stopping.csv")
    assert PLAN.epoch % EVERY  # steps inside epochs too
    times = [*range(EVERY, PLAN.total, EVERY), PLAN.total]
    measured = {step: stopped_at(tmp_path, step) for step in times}
    best = min(measured, key=lambda step: measured[step][0])
    assert found.columns.tolist() == STOPPING
    row = found.iloc[0]
    assert (row["seed"], row["step"]) == (SEED, best)
    assert (row["validation_loss"], row["error"]) == pytest.approx(measured[best], rel=1e-5)


def test_an_interruption_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (level(tmp_path / "whole") / f"seed{SEED}/stopping.csv").read_bytes()
    again, interruptions = interrupted(lambda: level(tmp_path / "again"), 2, monkeypatch)
    assert interruptions >= 2
    assert (again / f"seed{SEED}/stopping.csv").read_bytes() == whole


def test_what_was_not_measured_has_no_step(tmp_path: Path) -> None:
    run = start(Beginning(initialised(SEED), SEED), tmp_path / "run")
    assert stop_of(run, SEED).empty
    run.record("stopping", np.array([0, np.nan, 0.5]))
    assert stop_of(run, SEED).empty
    run.record("stopping", np.array([5, 2.0, 0.4]))
    run.record("stopping", np.array([10, 2.0, 0.3]))  # of equal losses, the first
    assert stop_of(run, SEED)["step"].tolist() == [5]


def test_without_validation_images_it_says_so() -> None:
    with pytest.raises(ValueError, match="measure: needs validation images; give "):
        measure(SPLITS, EVERY)


def test_measuring_changes_no_weight(tmp_path: Path) -> None:
    measured = level(tmp_path)
    task = Task(IMAGES, FAST, PLAN, from_tickets(tmp_path / "begun"))
    fit(task, [SEED], tmp_path / "unseen", lambda steps: None, keep_ticket(ALL))
    ticket = f"seed{SEED}/ticket.safetensors"
    assert (tmp_path / "unseen" / ticket).read_bytes() == (measured / ticket).read_bytes()
