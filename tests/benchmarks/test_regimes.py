"""The script of temperatures and densities, at a tiny size: its numbers by another way."""

import copy
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch

from tests.training.small import CLASSES, NETWORK, TRAINING, on_device, pictures
from winnow.networks import initialise
from winnow.training.loop import Beginning, start, train
from winnow.training.schedule import make_schedule


@pytest.fixture(scope="module")
def regimes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("regimes", "benchmarks/regimes.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["regimes"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1, 0.1, 0.1], 0.0),
        ([0.1, 0.4, 0.2], -0.25),  # a barrier
        ([0.3, 0.05, 0.2, 0.1], 0.15),  # a valley: the ends are not at the bottom
        ([0.0, 0.3, -0.5, 0.0], 0.5),
    ],
)
def test_mode_connectivity_by_hand(regimes: ModuleType, values: list[float], expected: float) -> None:
    assert regimes.mode_connectivity(np.array(values)) == pytest.approx(expected)


def test_what_a_higher_rate_changes_by_hand(regimes: ModuleType) -> None:
    errors = {0.1: (0.3, 0.2, 0.1), 0.5: (0.1, 0.05, 0.2)}  # by density, at rising rates
    rows = [(rate, density, seed, error + seed / 1000) for density, own in errors.items()
            for rate, error in zip((0.01, 0.1, 1.0), own, strict=True) for seed in (0, 1)]  # fmt: skip
    found = regimes.effects(pd.DataFrame(rows, columns=["learning_rate", "density", "seed", "error"]))
    assert found[["density", "best"]].to_numpy().tolist() == [[0.5, 0.1], [0.1, 1.0]]
    assert found["change"].tolist() == pytest.approx([0.1, -0.2])
    words = [regimes._in_words(row) for row in found.to_dict("records")]
    assert ", hurts; lowest error at 0.1" in words[0]
    assert words[1].startswith("10% left: -20.00 points of test error (-20.00 to -20.00), helps; ")
    assert "not told apart" in regimes._in_words({"density": 0.1, "best": 1, "change": 0.0, "low": -0.1, "high": 0.1})


def test_a_row_is_that_of_plain_training_pruning_and_training_again(regimes: ModuleType, tmp_path: Path) -> None:
    """Dense at the learning rate of the grid, each layer cut to its largest half, and again at the training's own."""
    images, test = on_device(pictures()), on_device(pictures(30, seed=5))
    setting = regimes.Setting(NETWORK, TRAINING, CLASSES, images, {"train": images, "test": test})
    (row,) = regimes.grid(setting, [0.05], [0.5], [3]).to_dict("records")
    assert (row["learning_rate"], row["density"], row["seed"]) == (0.05, 0.5, 3)

    def trained(network: torch.nn.Module, rate: float, order: int, mask: dict[str, torch.Tensor]) -> torch.nn.Module:
        run = start(Beginning(network, order, mask), tmp_path / f"{rate}-{order}")
        own = TRAINING.model_copy(update={"learning_rate": rate})
        for _ in train([run], images, own, make_schedule(own, len(images)), lambda _steps: None):
            pass
        return run.network

    def error(network: torch.nn.Module) -> float:
        (batch,) = test.batches()
        return float((network.eval()(batch[0]).argmax(1) != batch[1]).float().mean())

    dense = trained(initialise(NETWORK, CLASSES, images.shape, 3), 0.05, 3, {})
    assert row["dense_error"] == pytest.approx(error(dense))
    mask = {}
    for name, weight in dense.named_parameters():
        if weight.dim() > 1:
            order = weight.detach().abs().flatten().argsort()
            kept = torch.ones(weight.numel(), dtype=torch.bool)
            kept[order[: weight.numel() - round(weight.numel() / 2)]] = False
            mask[name] = kept.reshape(weight.shape)
    tickets = [trained(copy.deepcopy(dense).train(), 0.1, order, mask) for order in (3, 1003)]
    assert row["error"] == pytest.approx(np.mean([error(ticket) for ticket in tickets]))
    assert -1 <= row["mode_connectivity"] <= 1
    assert 0 < row["cka"] <= 1
