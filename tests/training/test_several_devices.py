"""One network in several processes against one process: the same batches, and the same numbers to rounding.

The networks compute in double precision, so that rounding is far below any mistake.
"""

import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch._dynamo  # torch's wrapper for several processes imports it, which takes seconds: once is enough
from torch import Tensor, nn

from tests.training.small import CLASSES, NETWORK, TRAINING, contents, on_device, pictures
from winnow.errors import UserError
from winnow.networks import initialise
from winnow.params.training import Network, Training
from winnow.storage import load_tensors
from winnow.training import loop
from winnow.training.batches import DeviceImages
from winnow.training.choosing import plan_of
from winnow.training.distillation import teaching
from winnow.training.fit import Task, fit_side_by_side
from winnow.training.loop import Beginning, Changes, Run, change_mask
from winnow.training.plan import Moment, Plan, Visits
from winnow.training.schedule import make_schedule
from winnow.training.several_devices import on_all_devices

pytestmark = pytest.mark.forks

SEED = 3
SHORT = TRAINING.model_copy(update={"length": "3 epochs", "decay_at": ["2 epochs"]})
LENET = Network(name="lenet_300_100")


class Double(nn.Module):
    """A network whose weights and activations have double precision."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.double()

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.network(inputs.double())
        return found


@dataclass(frozen=True)
class Case:
    """A training. give: what the images have beside their labels."""

    network: Network = NETWORK
    training: Training = SHORT
    masked: bool = False
    changes: Changes | None = None
    plan: Callable[[], Plan] | None = None
    give: Callable[[DeviceImages], DeviceImages] = lambda images: images
    wrap: Callable[[nn.Module], nn.Module] = Double

    def task(self) -> Task:
        images = self.give(on_device(pictures()))
        plan = self.plan() if self.plan else None
        schedule = make_schedule(self.training, len(images))
        return Task(images, self.training, schedule, lambda seed: self.begin(seed, plan))

    def begin(self, seed: int, plan: Plan | None) -> Beginning:
        network = self.wrap(initialise(self.network, CLASSES, (2, 6, 6), seed))
        draws = torch.Generator().manual_seed(seed)
        weights = {name: weight for name, weight in network.named_parameters() if weight.dim() > 1}
        mask = {name: torch.rand(weight.shape, generator=draws) < 0.6 for name, weight in weights.items()}
        return Beginning(network, seed, mask if self.masked else {}, changes=self.changes, plan=plan)


def on_gradients(run: Run) -> None:
    """Sum all gradients into the memory; after two steps, prune a fifth of each layer's weights, those whose gradients
    sum to the least. (A channel without weights would be at the edge of its rectifier, where rounding decides.)"""
    for name in run.mask:
        gradient = run.network.get_parameter(name).grad
        assert gradient is not None
        run.memory[f"sum.{name}"] = run.memory.get(f"sum.{name}", torch.zeros_like(gradient)) + gradient
    if run.step in (5, 14):
        size = {name: run.memory[f"sum.{name}"].abs() for name in run.mask}
        change_mask(run, {name: value > value.quantile(0.2) for name, value in size.items()})


def by_features() -> Plan:
    """Visit the images with the largest features, and then those with the largest losses."""

    def choose(moment: Moment) -> Visits:
        by = moment.state["loss"] if moment.epoch else moment.features()[:, 0]
        return Visits(np.sort(np.argsort(by)[-20:]), np.linspace(0.5, 1.5, 20, dtype=np.float32))

    def learn(state, rows: np.ndarray, losses: np.ndarray):
        found = state["loss"].copy()
        found[rows] = losses
        return {"loss": found}

    return Plan(choose, {"loss": np.zeros(43, np.float32)}, learn)


def weighted(images: DeviceImages) -> DeviceImages:
    return images.weighted(np.random.default_rng(0).random(43, np.float32) * 2)


def taught(images: DeviceImages) -> DeviceImages:
    outputs = np.random.default_rng(1).normal(size=(43, CLASSES))
    return images.taught(teaching(outputs - np.log(np.exp(outputs).sum(1, keepdims=True)), 0.4, 2.0, images.device))


UNEVEN = SHORT.model_copy(update={"batch_size": 7})
ONE_STEP = UNEVEN.model_copy(update={"length": "1 steps", "decay_at": []})
ADAM = UNEVEN.model_copy(update={"optimiser": "adamw", "learning_rate": 1e-3})
CASES = {
    "batch norm": Case(),
    "batch norm, uneven parts": Case(training=UNEVEN),
    "no batch norm, a mask, adamw": Case(LENET, ADAM, masked=True),
    "residual, weights": Case(Network(name="resnet8", width=4), UNEVEN, give=weighted),
    "a teacher": Case(training=UNEVEN, give=lambda images: taught(weighted(images))),
    "a mask that changes": Case(training=UNEVEN, masked=True, changes=Changes(on_gradients)),
    "a plan": Case(training=UNEVEN, plan=by_features),
    "infobatch": Case(training=UNEVEN, plan=lambda: plan_of("infobatch", {}, 43, 3)),
    "ended inside an epoch": Case(training=UNEVEN.model_copy(update={"length": "8 steps", "decay_at": []})),
    "bfloat16": Case(training=ONE_STEP.model_copy(update={"precision": "bfloat16"}), wrap=lambda network: network),
}
THREE = "batch norm, uneven parts"  # the case that three processes train too
ROUNDING = {"bfloat16": 0.05, "a teacher": 1e-4}  # eight bits; single precision; the others have double precision


def keep_all(run: Run) -> None:
    """Keep what a restart would read."""
    shutil.copy(run.state, run.working / "all.safetensors")


def record_visits(run: Run) -> None:
    if run.correct is not None and run.margins is not None and run.losses is not None:
        for name, values in (("correct", run.correct), ("margins", run.margins), ("losses", run.losses)):
            run.record(name, values)


def train(folder: Path, cases: dict[str, Case], on_epoch: Callable[[Run], None] = record_visits) -> None:
    """A stage: it trains each case, one after another, into its folder, and writes a file after the last."""
    for name, case in cases.items():
        fit_side_by_side({folder / name: case.task()}, [SEED], name, keep_all, on_epoch)
    with (folder / "ends").open("a") as file:
        file.write("x")


def together(processes: int, folder: Path, cases: dict[str, Case], **more) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINNOW_DEVICE", ",".join(["cpu"] * processes))
        if processes == 1:  # one process needs nothing of torch.distributed
            patch.setitem(sys.modules, "winnow.training.shared", None)
        on_all_devices(lambda: train(folder, cases, **more))()


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Iterator[dict[int, Path]]:
    """All cases trained by one process and by two, and one by three."""
    folders = {processes: tmp_path_factory.mktemp(f"by{processes}") for processes in (1, 2, 3)}
    for processes, folder in folders.items():
        together(processes, folder, CASES if processes < 3 else {THREE: CASES[THREE]})
    yield folders


def assert_equal_but_for_rounding(one: Path, other: Path, rounding: float = 1e-8) -> None:
    found, expected = (load_tensors(folder / f"seed{SEED}" / "all.safetensors") for folder in (other, one))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        # what the loop records of single images has half or single precision
        own = max(rounding, 2e-3 if name == "records.margins" else 1e-5 if name.startswith(("records", "known")) else 0)
        np.testing.assert_allclose(found[name], value, rtol=own, atol=own, err_msg=name)


@pytest.mark.parametrize(("name", "processes"), [*((name, 2) for name in CASES), (THREE, 3)])
def test_several_processes_train_as_one_does(trained, name, processes):
    assert_equal_but_for_rounding(trained[1] / name, trained[processes] / name, ROUNDING.get(name, 1e-8))


def test_the_trainings_differ(trained):
    """Or their agreement would say nothing."""
    begun = Case().begin(SEED, None).network.state_dict()
    first = [load_tensors(trained[2] / name / f"seed{SEED}" / "all.safetensors") for name in CASES]
    weights = [found.get("network.network.0.weight", found.get("network.0.weight")) for found in first]
    convolved = [weight for weight in weights if weight is not None and weight.shape == (2, 2, 3, 3)]
    assert len(convolved) == 8
    every = [begun["network.0.weight"].numpy(), *convolved]
    assert all(abs(a - b).max() > 1e-3 for i, a in enumerate(every) for b in every[:i])


def test_only_the_leader_does_what_is_not_training(trained):
    for folder in trained.values():
        assert (folder / "ends").read_text() == "x"


# Restarts


@pytest.mark.parametrize(
    ("before", "after", "name"), [(2, 1, "a mask that changes"), (1, 2, "a mask that changes"), (2, 2, "a plan")]
)
def test_what_some_begin_others_go_on_with(tmp_path, trained, monkeypatch, user_error, before, after, name):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)
    case = {name: CASES[name]}

    def stop(run: Run) -> None:
        record_visits(run)
        if run.epoch == 2:
            raise UserError("stopped")

    with user_error("stopped"):
        together(before, tmp_path, case, on_epoch=stop)
    assert load_tensors(tmp_path / name / f"seed{SEED}.running" / "state.safetensors")["progress"][0] == 1
    together(after, tmp_path, case)
    assert_equal_but_for_rounding(trained[1] / name, tmp_path / name)
    if before == after:
        assert contents(tmp_path / name) == contents(trained[2] / name)


# Failures


class Failing(nn.Module):
    """A network that does something in one of the processes in its third step."""

    def __init__(self, network: nn.Module, where: str, what: Callable[[], object]) -> None:
        super().__init__()
        self.network, self.where, self.what, self.calls = network, where, what, 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == 3 and os.environ["WINNOW_RANK"] == self.where:
            self.what()
        found: Tensor = self.network(inputs)
        return found


def failing(where: str, what: Callable[[], object]) -> dict[str, Case]:
    return {"fails": Case(wrap=lambda network: Failing(network, where, what))}


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("where", ["0", "1"])
def test_when_one_is_killed_all_end(tmp_path, alive, user_error, where):
    begin = time.monotonic()
    with user_error("a training process ended with SIGKILL", "memory", "one device in WINNOW_DEVICE"):
        together(2, tmp_path, failing(where, be_killed))
    assert alive.all_gone()
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize("where", ["0", "1"])
def test_the_error_that_is_told_is_the_first(tmp_path, alive, where):
    with pytest.raises(RuntimeError, match="ZeroDivisionError") as caught:
        together(2, tmp_path, failing(where, lambda: 1 / 0))
    assert str(caught.value).rstrip().endswith("ZeroDivisionError: division by zero")
    assert alive.all_gone()


def test_no_process_outlives_a_killed_stage(tmp_path, alive):
    def wait() -> None:
        os.write(alive.holder, b"x")
        time.sleep(60)

    stage = multiprocessing.get_context("fork").Process(target=together, args=(2, tmp_path, failing("1", wait)))
    stage.start()
    assert alive.said(1) == b"x"
    assert stage.pid is not None
    os.kill(stage.pid, signal.SIGKILL)
    stage.join()
    assert alive.all_gone()


def test_more_devices_than_images_in_a_batch(tmp_path, user_error):
    small = SHORT.model_copy(update={"batch_size": 2})
    with user_error("WINNOW_DEVICE names 3 devices, more than a batch has images (2): name fewer"):
        together(3, tmp_path, {"small": Case(training=small)})


def test_a_parameter_without_gradients_is_named(tmp_path, user_error):
    def with_more(network: nn.Module) -> nn.Module:
        network.register_parameter("unused", nn.Parameter(torch.zeros(3)))
        return network

    with user_error("WINNOW_DEVICE names several devices, but unused of the network takes no part", "name one"):
        together(2, tmp_path, {"unused": Case(wrap=with_more)})


def test_networks_that_drift_apart_are_an_error(tmp_path):
    def nudge(run: Run) -> None:
        if os.environ["WINNOW_RANK"] == "1" and run.step == 4:
            run.network.get_parameter("network.0.weight").data[0, 0, 0, 0] += 1e-9

    case = replace(CASES["batch norm"], changes=Changes(nudge))
    with pytest.raises(RuntimeError, match="the devices of WINNOW_DEVICE round differently"):
        together(2, tmp_path, {"drifts": case})
