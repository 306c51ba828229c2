import contextlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from winnow.autograd.ensemble import ensemble
from winnow.datasets.images import Images
from winnow.networks import initialise
from winnow.params.training import Augment, Network, Training
from winnow.storage import load_table, load_tensors
from winnow.training import device
from winnow.training.batches import DeviceImages, to_device, training_batches
from winnow.training.early import keep_epochs, keep_visits
from winnow.training.fit import Task, fit, fresh
from winnow.training.loop import Beginning, Run, save, start, train
from winnow.training.retrain import keep_outputs
from winnow.training.schedule import schedule

CPU = torch.device("cpu")
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
    return to_device(images, {"mean": [0.4] * 3, "std": [0.2] * 3}, CPU)


IMAGES = pictures(70)  # 4 batches of 16, and 6 images that are dropped
PLAN = schedule(TRAINING, len(IMAGES))


def runs_of(network: Network, seeds: list[int], folder: Path, **mask) -> list[Run]:
    return [
        start(Beginning(initialise(network, CLASSES, IMAGES.shape, seed), seed, **mask), folder / str(seed))
        for seed in seeds
    ]


def run_through(runs: list[Run], images: DeviceImages = IMAGES) -> None:
    for _ in train(runs, images, TRAINING, PLAN, lambda steps: None):
        pass


def state(run: Run) -> dict[str, np.ndarray]:
    save(run)
    return {name: value for name, value in load_tensors(run.state).items() if name != "progress"}


def assert_agree(one: dict[str, np.ndarray], other: dict[str, np.ndarray], **tolerance: float) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_allclose(value, other[name], err_msg=name, **{"rtol": 2e-4, "atol": 2e-5} | tolerance)


def difference(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    return max(float(abs(one[name] - other[name]).max()) for name in one if name.startswith("network"))


@networks
def test_networks_trained_together_are_those_trained_one_by_one(network, tmp_path):
    apart, together = (runs_of(network, [3, 4, 5], tmp_path / name) for name in ("apart", "together"))
    for run in apart:
        run_through([run])
    run_through(together)
    assert PLAN.total == 12
    assert [run.step for run in together] == [12, 12, 12]
    for one, other in zip(apart, together, strict=True):
        assert_agree(state(one), state(other))  # weights, velocities, running statistics, counters, losses
        assert (one.correct == other.correct).all()
        assert (other.correct == 2).sum() == 6
    assert difference(state(together[0]), state(together[1])) > 0.01  # or the agreement would say nothing


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
        assert {k: v.tobytes() for k, v in state(one).items()} == {k: v.tobytes() for k, v in state(other).items()}


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
        assert_agree(state(one), state(other))


@pytest.mark.parametrize("seeds", [[3], [3, 4]])
def test_pruned_weights_are_zero_after_every_step(seeds, tmp_path):
    everything = pictures(16)  # one step an epoch
    draws = torch.Generator().manual_seed(0)
    masks = {seed: {"0.weight": torch.rand(4, 3, 3, 3, generator=draws) < 0.5} for seed in seeds}
    runs = [runs_of(NETWORKS[0], [seed], tmp_path, mask=masks[seed])[0] for seed in seeds]
    for run in train(runs, everything, TRAINING, schedule(TRAINING, 16), lambda steps: None):
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
        return initialise(NETWORKS[2], CLASSES, IMAGES.shape, seed)

    runs = [start(Beginning(model(seed), seed, masks[seed]), tmp_path / str(seed)) for seed in seeds]
    run_through(runs)
    for run in runs:
        reference = model(run.seed)
        prune.custom_from_mask(reference[3], "weight", masks[run.seed]["3.weight"])
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


def test_what_can_not_be_trained_together_is_trained_one_after_another(tmp_path, capsys):
    def runs(name: str) -> list[Run]:
        found = []
        for seed in (3, 4):
            torch.manual_seed(seed)
            network = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Dropout(0.5), nn.Linear(192, CLASSES))
            found.append(start(Beginning(network, seed), tmp_path / name / str(seed)))
        return found

    apart, together = runs("apart"), runs("together")
    for run in apart:
        run_through([run])
    assert capsys.readouterr().out == ""
    run_through(together)
    line = capsys.readouterr().out
    assert line.startswith("dropout failed in several networks at once")
    assert line.endswith("these 2 networks train one after another\n")
    assert line.count("\n") == 1
    for one, other in zip(apart, together, strict=True):
        assert {k: v.tobytes() for k, v in state(one).items()} == {k: v.tobytes() for k, v in state(other).items()}
    assert not np.array_equal(state(apart[0])["network.0.running_mean"], state(apart[1])["network.0.running_mean"])


def test_an_error_after_the_first_step_is_not_taken_for_a_network_that_does_not_fit(tmp_path):
    runs = runs_of(NETWORKS[0], [3, 4], tmp_path)
    calls = []

    def fail(*_: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("a kernel failed")

    runs[0].network.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="a kernel failed"):
        run_through(runs)


@networks
def test_autocast_reaches_every_layer(network):
    """bfloat16 in the same places as in one network alone, as it is on CUDA devices: both round the same way."""
    models = [initialise(network, CLASSES, (3, 8, 8), seed).train() for seed in (0, 1)]
    dtypes: list[torch.dtype] = []
    for module in models[0].modules():
        module.register_forward_hook(lambda module, inputs, output: dtypes.append(output.dtype))
    inputs = torch.randn(2, 16, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        with ensemble(models) as forward:
            logits = forward(inputs)
        together = dtypes.copy()
        alone = models[0](inputs[0])
    assert together == dtypes[len(together) :]
    assert logits.dtype == torch.bfloat16
    assert (logits[0] - alone).abs().max() <= 0.02 * alone.abs().max()


def test_running_statistics_stay_as_they_were_when_it_fails():
    models = [initialise(NETWORKS[0], CLASSES, (3, 8, 8), seed).train() for seed in (0, 1)]
    before = [{name: value.clone() for name, value in model.state_dict().items()} for model in models]
    with contextlib.suppress(KeyError), ensemble(models) as forward:
        forward(torch.randn(2, 16, 3, 8, 8))
        raise KeyError
    for model, values in zip(models, before, strict=True):
        for name, value in model.state_dict().items():
            assert torch.equal(value, values[name]), name


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
    assert len(files) == 2 * (3 + 2 + 3)
    for file in files:
        one, other = tmp_path / "apart" / file, tmp_path / "together" / file
        if file.suffix == ".safetensors":
            assert_agree(load_tensors(one), load_tensors(other), atol=1e-4)
        if file.suffix == ".csv":
            np.testing.assert_allclose(load_table(one), load_table(other), rtol=1e-4)


def test_the_environment_overrules_the_choice(monkeypatch, user_error):
    monkeypatch.delenv("WINNOW_BATCHED", raising=False)
    cuda = torch.device("cuda")
    assert device.together([1, 2], CPU) == [[1], [2]]
    assert device.together([1, 2], cuda) == [[1, 2]]
    monkeypatch.setenv("WINNOW_BATCHED", "1")
    assert device.together([1, 2], CPU) == [[1, 2]]
    monkeypatch.setenv("WINNOW_BATCHED", "0")
    assert device.together([1, 2], cuda) == [[1], [2]]
    monkeypatch.setenv("WINNOW_BATCHED", "yes")
    with user_error("WINNOW_BATCHED=yes", "1", "0"):
        device.together([1, 2], CPU)
