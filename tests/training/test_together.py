"""Networks that go in step with each other end in the bytes that each has alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from winnow.datasets.images import Images
from winnow.networks import initialise
from winnow.params.training import Augment, Network, Training
from winnow.storage import load_table, load_tensors
from winnow.training.batches import DeviceImages, to_device, training_batches
from winnow.training.device import chosen_device, together
from winnow.training.early import keep_epochs, keep_visits
from winnow.training.fit import Task, fit, fresh
from winnow.training.loop import Beginning, Run, save, start, train
from winnow.training.retrain import keep_outputs
from winnow.training.schedule import make_schedule

CLASSES = 4
NETWORKS = [Network(name="convnet", width=4), Network(name="resnet8", width=4), Network(name="lenet_300_100")]
TRAINING = Training(
    length="3 epochs", batch_size=16, warmup="1 epoch", decay_at=["2 epochs"], augment=Augment(crop=1, flip=True)
)
networks = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)


def pictures(count: int, seed: int = 0) -> DeviceImages:
    """Noise, brighter by class."""
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, CLASSES, count)
    pixels = draws.integers(0, 140, (count, 3, 8, 8)) + 30 * labels.reshape(-1, 1, 1, 1)
    images = Images(pixels.astype(np.uint8), labels, np.arange(count).astype(str), np.arange(count))
    return to_device(images, {"mean": [0.4] * 3, "std": [0.2] * 3}, chosen_device())


IMAGES = pictures(70)  # 4 batches of 16, and 6 images that are dropped
PLAN = make_schedule(TRAINING, len(IMAGES))


def runs_of(network: Network, seeds: list[int], folder: Path, **mask) -> list[Run]:
    return [
        start(
            Beginning(initialise(network, CLASSES, IMAGES.shape, seed).to(chosen_device()), seed, **mask),
            folder / str(seed),
        )
        for seed in seeds
    ]


def run_through(runs: list[Run], training: Training = TRAINING) -> None:
    for _ in train(runs, IMAGES, training, PLAN, lambda steps: None):
        pass


def state(run: Run) -> dict[str, np.ndarray]:
    save(run)
    return {name: value for name, value in load_tensors(run.state).items() if name != "progress"}


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert {name: value.tobytes() for name, value in one.items()} == {n: value.tobytes() for n, value in other.items()}


def difference(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    return max(float(abs(one[name] - other[name]).max()) for name in one if name.startswith("network"))


@networks
def test_networks_trained_together_are_those_trained_one_by_one(network, tmp_path):
    apart, joined = (runs_of(network, [3, 4, 5], tmp_path / name) for name in ("apart", "together"))
    for run in apart:
        run_through([run])
    run_through(joined)
    assert PLAN.total == 12
    assert [run.step for run in joined] == [12, 12, 12]
    for one, other in zip(apart, joined, strict=True):
        assert_same(state(one), state(other))  # weights, velocities, running statistics, counters, losses
        assert (one.correct == other.correct).all()
        assert (other.correct == 2).sum() == 6
    assert difference(state(joined[0]), state(joined[1])) > 0.01  # or the agreement would say nothing


@networks
def test_an_interruption_leaves_no_trace(network, tmp_path):
    unbroken, broken = (runs_of(network, [3, 4], tmp_path / name) for name in ("unbroken", "broken"))
    run_through(unbroken)
    for run in train(broken, IMAGES, TRAINING, PLAN, lambda steps: None):
        if run.epoch == 2:  # ends before this epoch is saved
            break
        save(run)
    again = runs_of(network, [3, 4], tmp_path / "broken")
    run_through(again)
    for one, other in zip(unbroken, again, strict=True):
        assert_same(state(one), state(other))


def test_runs_that_are_behind_catch_up(tmp_path):
    unbroken = runs_of(NETWORKS[0], [3, 4, 5], tmp_path / "unbroken")
    run_through(unbroken)
    ahead = runs_of(NETWORKS[0], [4], tmp_path / "broken")
    for run in train(ahead, IMAGES, TRAINING, PLAN, lambda steps: None):
        save(run)
        if run.epoch == 2:
            break
    again = runs_of(NETWORKS[0], [3, 4, 5], tmp_path / "broken")
    ticks: list[int] = []
    epochs = [(run.seed, run.epoch) for run in train(again, IMAGES, TRAINING, PLAN, ticks.append)]
    assert epochs == [(3, 0), (5, 0), (3, 1), (5, 1), (3, 2), (5, 2), (3, 3), (4, 3), (5, 3)]
    assert sum(ticks) == 3 * PLAN.total  # those among them that were done before
    for one, other in zip(unbroken, again, strict=True):
        assert_same(state(one), state(other))


@pytest.mark.parametrize("seeds", [[3], [3, 4]])
def test_pruned_weights_are_zero_after_every_step(seeds, tmp_path):
    everything = pictures(16)  # one step an epoch
    draws = torch.Generator().manual_seed(0)
    masks = {seed: {"0.weight": torch.rand(4, 3, 3, 3, generator=draws) < 0.5} for seed in seeds}
    runs = [runs_of(NETWORKS[0], [seed], tmp_path, mask=masks[seed])[0] for seed in seeds]
    for run in train(runs, everything, TRAINING, make_schedule(TRAINING, 16), lambda steps: None):
        weight, kept = run.network.get_parameter("0.weight"), masks[run.seed]["0.weight"]
        assert (weight[~kept] == 0).all()
        assert (weight[kept] != 0).all()
    assert [run.step for run in runs] == [3] * len(seeds)


def test_training_with_a_mask_is_what_torch_makes_of_it(tmp_path):
    """Against torch.nn.utils.prune, which multiplies by the mask in the forward pass, and a loop of plain calls."""
    seeds = [3, 4]
    masks = {}
    for seed in seeds:
        draws = torch.Generator().manual_seed(seed)
        masks[seed] = {"3.weight": torch.rand(100, 300, generator=draws) < 0.2}

    def model(seed: int) -> nn.Module:
        return initialise(NETWORKS[2], CLASSES, IMAGES.shape, seed).to(chosen_device())

    runs = [start(Beginning(model(seed), seed, masks[seed]), tmp_path / str(seed)) for seed in seeds]
    run_through(runs, TRAINING.model_copy(update={"precision": "float32"}))  # as the plain calls
    for run in runs:
        reference = model(run.seed)
        prune.custom_from_mask(reference[3], "weight", masks[run.seed]["3.weight"].to(chosen_device()))
        optimizer = torch.optim.SGD(reference.parameters(), lr=0, momentum=0.9, nesterov=True, weight_decay=5e-4)
        step = 0
        for epoch in range(3):
            for _, inputs, labels in training_batches(IMAGES, 16, TRAINING.augment, [run.seed], epoch):
                optimizer.param_groups[0]["lr"] = [0.025, 0.05, 0.075, 0.1, 0.1, 0.1, 0.1, 0.1, *[0.02] * 4][step]
                optimizer.zero_grad()
                nn.functional.cross_entropy(reference(inputs[0]), labels[0]).backward()
                optimizer.step()
                step += 1
        reference(inputs[0])  # its weights are multiplied in the forward pass
        for i in (1, 3, 5):
            torch.testing.assert_close(run.network.get_parameter(f"{i}.weight"), reference[i].weight.detach())


def test_layers_that_draw_draw_the_same_together(tmp_path):
    def runs(name: str) -> list[Run]:
        found = []
        for seed in (3, 4):
            torch.manual_seed(seed)
            network = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Dropout(0.5), nn.Linear(192, CLASSES))
            found.append(start(Beginning(network.to(chosen_device()), seed), tmp_path / name / str(seed)))
        return found

    apart, joined = runs("apart"), runs("together")
    for run in apart:
        run_through([run])
    run_through(joined)
    for one, other in zip(apart, joined, strict=True):
        assert_same(state(one), state(other))
    assert not np.array_equal(state(apart[0])["network.0.running_mean"], state(apart[1])["network.0.running_mean"])


@networks
def test_early_and_retrain_leave_the_same_together(network, tmp_path):
    held_out = pictures(20, seed=1)
    for name, groups in {"apart": [[3], [4]], "together": [[3, 4]]}.items():
        for seeds in groups:
            begin = fresh(network, IMAGES, CLASSES)
            early = Task(IMAGES, TRAINING, PLAN.until(2), begin)
            keep = keep_epochs(IMAGES, held_out, [0, 1, 2])
            fit(early, seeds, tmp_path / name / "early", lambda steps: None, keep_visits(len(IMAGES)), keep)
            whole = Task(IMAGES, TRAINING, PLAN, begin)
            fit(whole, seeds, tmp_path / name / "retrain", lambda steps: None, keep_outputs({"validation": held_out}))
    files = sorted(path.relative_to(tmp_path / "apart") for path in (tmp_path / "apart").rglob("*.*"))
    assert files == sorted(path.relative_to(tmp_path / "together") for path in (tmp_path / "together").rglob("*.*"))
    assert len(files) == 2 * (3 + 5 + 3)
    for file in files:
        one, other = tmp_path / "apart" / file, tmp_path / "together" / file
        if file.suffix == ".safetensors":
            assert_same(load_tensors(one), load_tensors(other))
        if file.suffix == ".csv":
            assert load_table(one).equals(load_table(other))


def test_a_cuda_device_takes_all_seeds_at_once():
    assert together([1, 2], torch.device("cpu")) == [[1], [2]]
    assert together([1, 2], torch.device("cuda")) == [[1, 2]]
