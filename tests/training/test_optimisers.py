"""Adam and AdamW against the papers' algorithms in numpy, through the training loop; masks; interruptions."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.training.small import TRAINING, contents, early, interrupted
from winnow.params.training import Training
from winnow.training.loop import Beginning, Run, change_mask, optimiser_step, start

SLOW = Training(learning_rate=0.01, momentum=0.8, beta2=0.95, epsilon=1e-3, weight_decay=0.1)
ADAM = SLOW.model_copy(update={"optimiser": "adam"})
ADAMW = SLOW.model_copy(update={"optimiser": "adamw"})


def begun(tmp_path, **options) -> Run:
    torch.manual_seed(0)
    return start(Beginning(nn.Linear(4, 3), 0, **options), tmp_path / "run")


def plain_adam(weight: np.ndarray, gradients: list[np.ndarray], training: Training, rates: list[float]) -> np.ndarray:
    """Kingma and Ba 2015, algorithm 1; with adamw, line 12 of algorithm 2 of Loshchilov and Hutter 2019."""
    first = second = np.zeros_like(weight)
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        decay = training.weight_decay * weight
        g = gradient + decay if training.optimiser == "adam" else gradient
        first = training.momentum * first + (1 - training.momentum) * g
        second = training.beta2 * second + (1 - training.beta2) * g**2
        corrected = first / (1 - training.momentum**t), second / (1 - training.beta2**t)
        step = corrected[0] / (np.sqrt(corrected[1]) + training.epsilon)
        weight = weight - rate * (step + (decay if training.optimiser == "adamw" else 0))
    return weight


@pytest.mark.parametrize("training", [ADAM, ADAMW], ids=["adam", "adamw"])
def test_steps_are_those_of_the_papers(tmp_path, training):
    run, rng = begun(tmp_path), np.random.default_rng(1)
    rates = [0.01, 0.02, 0.02, 0.005, 0.005]
    gradients = [rng.normal(size=(3, 4)).astype(np.float32) for _ in rates]
    weight = run.network.weight.detach().numpy().astype(np.float64)
    for gradient, rate in zip(gradients, rates, strict=True):
        run.network.weight.grad = torch.from_numpy(gradient)  # the bias has none, and stays
        optimiser_step(run, training, rate)
    expected = plain_adam(weight, [gradient.astype(np.float64) for gradient in gradients], training, rates)
    np.testing.assert_allclose(run.network.weight.detach().numpy(), expected, rtol=1e-5)
    assert sorted(run.moments) == ["count.weight", "mean.weight", "square.weight"]


def test_with_a_rate_in_a_tensor_as_graphs_need_it(tmp_path):
    """The same steps: the step of a CUDA graph reads its rate from a tensor."""
    runs = [begun(tmp_path / name) for name in "ab"]
    for rate in (0.01, 0.03):
        for run, value in zip(runs, (rate, torch.tensor(rate)), strict=True):
            run.network.weight.grad = torch.ones(3, 4)
            optimiser_step(run, ADAMW, value)
    np.testing.assert_allclose(*(run.network.weight.detach().numpy() for run in runs), rtol=1e-6)


@pytest.mark.parametrize("training", [SLOW, ADAM, ADAMW], ids=["sgd", "adam", "adamw"])
def test_a_weight_that_returns_has_no_moments_and_others_keep_theirs(tmp_path, training):
    mask = torch.ones(3, 4, dtype=torch.bool)
    mask[0, 0] = False
    run = begun(tmp_path, mask={"weight": mask})
    for step in range(3):
        run.network.weight.grad = torch.ones(3, 4)
        optimiser_step(run, training, 0.01)
        assert run.network.weight[0, 0] == 0, step
    shaped = {name: moment for name, moment in run.moments.items() if not name.startswith("count")}
    before = {name: moment.clone() for name, moment in shaped.items()}
    assert all(moment[0, 0] != 0 for moment in shaped.values())
    change_mask(run, {"weight": torch.ones(3, 4, dtype=torch.bool)})
    for name, moment in shaped.items():
        assert moment[0, 0] == 0
        assert torch.equal(moment[mask], before[name][mask])


@pytest.mark.parametrize("optimiser", ["adam", "adamw"])
def test_an_interruption_leaves_no_trace(tmp_path, monkeypatch, optimiser):
    training = TRAINING.model_copy(update={"optimiser": optimiser, "learning_rate": 0.01})
    whole = contents(early(tmp_path / "whole", training=training))
    again, interruptions = interrupted(lambda: early(tmp_path / "again", training=training), 2, monkeypatch)
    assert interruptions >= 2
    assert contents(again) == whole


def test_the_optimiser_matters(tmp_path):
    networks = set()
    for optimiser in ("sgd", "adam", "adamw"):
        training = TRAINING.model_copy(update={"optimiser": optimiser, "learning_rate": 0.01, "weight_decay": 0.1})
        networks.add(str(sorted(contents(early(tmp_path / optimiser, training=training)).items())))
    assert len(networks) == 3
