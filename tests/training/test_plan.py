"""Training whose images are chosen as it goes: against plain training, after an interruption, and side by side."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.training.small import CLASSES, NETWORK, TRAINING, contents, named, on_device, pictures, state_of
from tests.training.test_loop import plain_training, rate_of_the_small_training
from winnow.storage import load_table, load_tensors
from winnow.training import loop
from winnow.training.choosing import plan_of
from winnow.training.fit import Task, fit, fresh
from winnow.training.loop import Run, train
from winnow.training.plan import Moment, Plan, Visits
from winnow.training.retrain import keep_outputs
from winnow.training.schedule import make_schedule

IMAGES = pictures()
HELD_OUT = {"test": pictures(9, seed=2)}
LONG = TRAINING.model_copy(update={"length": "12 epochs"})


def trained(folder, plan: Plan | None, tick=lambda steps: None, training=TRAINING, seed=3, on_epoch=lambda run: None):
    images = on_device(IMAGES)
    schedule = make_schedule(training, len(images)).stretched(1.0 if plan is None else plan.length)
    task = Task(images, training, schedule, fresh(NETWORK, images, CLASSES, plan=plan))
    with named(folder, seed) as parent:
        fit(
            task,
            [seed],
            parent,
            tick,
            keep_outputs({name: on_device(part) for name, part in HELD_OUT.items()}),
            on_epoch,
        )
    return folder


def made(method: str, training=TRAINING, **options: Any) -> Plan:
    return plan_of(method, options, len(IMAGES), make_schedule(training, len(IMAGES)).epochs)


def all_but_history(folder) -> dict[str, bytes]:
    """The files, without the table that has a column more if there is a plan."""
    return {name: content for name, content in contents(folder).items() if name != "history.csv"}


@pytest.mark.parametrize("length", ["5 epochs", "7 steps"])
@pytest.mark.parametrize(
    ("method", "options"), [("infobatch", {"ratio": 0.0}), ("rs2", {"keep": 1.0}), ("shorter", {"keep": 1.0})]
)
def test_a_plan_of_all_images_is_plain_training_bit_for_bit(tmp_path, method, options, length):
    training = TRAINING.model_copy(update={"length": length})
    plain = trained(tmp_path / "plain", None, training=training)
    planned = trained(tmp_path / "planned", made(method, training, **options), training=training)
    assert all_but_history(planned) == all_but_history(plain)
    table = load_table(planned / "history.csv")
    assert table["visits"].tolist() == ([40] * 5 if length == "5 epochs" else [40, 16])
    assert table.drop(columns="visits").equals(load_table(plain / "history.csv"))


def of_all(weights: np.ndarray) -> Plan:
    return Plan(lambda _: Visits(np.arange(43), weights))


def test_the_weights_of_a_plan_against_a_plain_loop(tmp_path):
    weights = np.random.default_rng(0).random(43, np.float32) * 2
    folder = trained(tmp_path / "run", of_all(weights))
    module, table, *_ = plain_training(TRAINING, NETWORK, 25, rate_of_the_small_training, weights)
    network = load_tensors(folder / "network.safetensors")
    for key, value in module.state_dict().items():
        np.testing.assert_allclose(network[key], value.numpy(), rtol=1e-4, atol=1e-4, err_msg=key)
    columns = ["learning_rate", "train_loss", "train_accuracy"]
    np.testing.assert_allclose(load_table(folder / "history.csv")[columns], table, rtol=1e-4, atol=1e-6)


def test_the_weights_of_a_plan_multiply_those_of_the_images(tmp_path):
    """Powers of two, so that the product has no rounding."""
    rng = np.random.default_rng(1)
    one, other = (2.0 ** rng.integers(-1, 2, 43).astype(np.float32) for _ in range(2))
    found = []
    for own, planned in ((None, one * other), (other, one)):
        images = on_device(IMAGES).weighted(own)
        begin = fresh(NETWORK, images, CLASSES, plan=of_all(planned))(3)
        begin.network.to(images.device)
        run = loop.start(begin, tmp_path / str(own is None))
        for _ in train([run], images, TRAINING, make_schedule(TRAINING, 43), lambda steps: None):
            pass
        found.append(state_of(run.network))
    for name, value in found[0].items():
        np.testing.assert_array_equal(found[1][name], value, err_msg=name)


def test_the_plan_learns_the_losses_of_its_own_visits(tmp_path):
    """Rows 3 to 22: two batches of 8; what is dropped is not learned, and what was learned is known at the next."""
    heard: list[tuple[int, np.ndarray, np.ndarray]] = []

    def choose(moment: Moment) -> Visits:
        heard.append((moment.epoch, moment.state["last"].copy(), np.array([])))
        return Visits(np.arange(3, 23))

    def update(state, rows, losses):
        last = state["last"].copy()
        last[rows] = losses
        heard.append((-1, rows, losses))
        return {"last": last}

    runs: list[Run] = []
    plan = Plan(choose, {"last": np.full(43, -1, np.float32)}, update)
    trained(tmp_path / "run", plan, on_epoch=lambda run: runs.append(replace(run)))
    asked, told = heard[::2], heard[1::2]
    assert [epoch for epoch, *_ in asked] == [0, 1, 2, 3, 4]
    for (_, known, _), (_, rows, losses), (_, after, _) in zip(asked, told, asked[1:], strict=False):
        assert len(rows) == 16
        assert set(rows) < set(range(3, 23))
        assert (losses > 0).all()
        np.testing.assert_array_equal(after[rows], losses)
        others = np.setdiff1d(np.arange(43), rows)
        np.testing.assert_array_equal(after[others], known[others])
    for run, (_, rows, losses) in zip(runs[1:], told, strict=True):
        assert run.losses is not None
        np.testing.assert_array_equal(run.losses[rows], losses)
        assert np.isnan(np.delete(run.losses, rows)).all()


def test_the_learning_rate_follows_the_share_of_the_epochs(tmp_path):
    """16 images are 2 steps where all are 5. The small training warms up over 3 steps of 5, and decays after 2 epochs
    and at step 18; the steps of such an epoch stand at 0 and 2.5 of its 5."""
    table = load_table(trained(tmp_path / "run", Plan(lambda _: Visits(np.arange(16)))) / "history.csv")
    assert table["visits"].tolist() == [16] * 5
    np.testing.assert_allclose(table["learning_rate"], [0.1, 0.1, 0.02, 0.02, 0.004])
    assert load_tensors(tmp_path / "run" / "network.safetensors")["1.num_batches_tracked"] == 10


def test_a_warm_up_ends_at_the_full_rate(tmp_path):
    """3 images of 43 to a batch: 14 steps in an epoch; 2 steps of a plan are worth 7 each, and the warm-up has 10."""
    training = TRAINING.model_copy(update={"batch_size": 3, "warmup": "10 steps", "decay_at": [], "length": "2 epochs"})
    plan = Plan(lambda _: Visits(np.arange(6)))
    rates = load_table(trained(tmp_path / "run", plan, training=training) / "history.csv")["learning_rate"]
    np.testing.assert_allclose(rates, [0.1 * 8 / 10, 0.1])


def test_shorter_is_plain_training_on_a_shorter_schedule(tmp_path):
    short = TRAINING.model_copy(update={"length": "15 steps", "warmup": "2 steps", "decay_at": ["6 steps", "11 steps"]})
    assert contents(trained(tmp_path / "plain", None, training=short)).keys() == {
        *("network.safetensors", "outputs.safetensors", "history.csv")
    }
    planned = trained(tmp_path / "planned", made("shorter", keep=0.6))
    assert all_but_history(planned) == all_but_history(tmp_path / "plain")


def test_too_few_images_for_a_batch(tmp_path):
    with pytest.raises(ValueError, match=re.escape("visits 4 images in epoch 1, fewer than a batch (8)")):
        trained(tmp_path / "run", made("rs2", keep=0.1))


PLANS = {
    "rs2": {"keep": 0.45},
    "infobatch": {},
    "seta": {"window": 0.6},
    "ucb": {"keep": 0.45, "interval": 3},
    "epsilon_greedy": {"keep": 0.45, "interval": 3},
    "dynamic_clusters": {"keep": 0.45, "clusters": 3, "interval": 3},
}


@pytest.fixture(scope="module", params=PLANS)
def whole(request, tmp_path_factory):
    """A method, and the folder of a run of it."""
    plan = made(request.param, LONG, **PLANS[request.param])
    return request.param, trained(tmp_path_factory.mktemp("plan") / request.param, plan, training=LONG)


@pytest.mark.parametrize("seconds", [0, 1000])
@pytest.mark.parametrize("at", [2, 5, 10])
def test_interrupted_after_an_epoch(whole, tmp_path, monkeypatch, seconds, at):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", seconds)
    method, folder = whole
    calls = []

    def tick(steps: int) -> None:
        calls.append(steps)
        if len(calls) == at:
            raise KeyboardInterrupt

    def run(tick=lambda steps: None):
        return trained(tmp_path / "run", made(method, LONG, **PLANS[method]), tick, LONG)

    with pytest.raises(KeyboardInterrupt):
        run(tick)
    assert contents(run()) == contents(folder)


@pytest.mark.parametrize("moment", ["choose", "update"])
@pytest.mark.parametrize("at", [1, 4])
def test_interrupted_inside_the_plan(whole, tmp_path, monkeypatch, moment, at):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)
    method, folder = whole
    plan = made(method, LONG, **PLANS[method])
    calls = []

    def broken(*given):
        calls.append(given)
        if len(calls) > at:
            raise KeyboardInterrupt
        return getattr(plan, moment)(*given)

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "run", replace(plan, **{moment: broken}), training=LONG)
    assert contents(trained(tmp_path / "run", plan, training=LONG)) == contents(folder)


def test_the_bar_counts_the_steps_of_the_schedule(tmp_path):
    ticks = []
    trained(tmp_path / "run", made("rs2", keep=0.45), ticks.append)
    assert sum(ticks) == 25


def test_runs_that_choose_different_numbers_train_beside_each_other_as_alone(tmp_path):
    """In one process, as on a CUDA device: InfoBatch drops other images with every seed."""
    images, plan = on_device(IMAGES), made("infobatch", LONG, ratio=0.8)
    schedule = make_schedule(LONG, len(images))

    def runs(name: str, seeds: list[int]) -> list[Run]:
        begin = fresh(NETWORK, images, CLASSES, plan=plan)
        found = [loop.start(begin(seed), tmp_path / name / f"{seed}") for seed in seeds]
        for run in found:
            run.network.to(images.device)
        for _ in train(found, images, LONG, schedule, lambda steps: None):
            pass
        return found

    together = runs("together", [3, 4, 5])
    visits = [np.array(run.records["visits"]).tolist() for run in together]
    assert len(set(map(tuple, visits))) > 1
    for run, seed in zip(together, (3, 4, 5), strict=True):
        (alone,) = runs("alone", [seed])
        for name, value in alone.network.state_dict().items():
            assert value.equal(run.network.state_dict()[name]), name
