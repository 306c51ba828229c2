"""What early training leaves, and that it leaves the same after any interruption."""

import multiprocessing
import signal
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.training.small import CLASSES, EPOCHS, NETWORK, TRAINING, contents, early, kept_network, on_device, pictures
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.storage import load_table, load_tensors
from winnow.training import loop
from winnow.training.early import early_schedule, keep_epochs, keep_visits, parts_of, shares_of
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss
from winnow.training.fit import Task, fit, fresh


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run."""
    return early(tmp_path_factory.mktemp("early") / "seed3")


@pytest.fixture(params=[0, 1.0, 1000], ids=lambda seconds: f"saves every {seconds} s")
def _saves(request, monkeypatch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", request.param)


class Interrupted(Exception):
    pass


def interruption(at: int):
    """A tick that raises when it is called the ``at``-th time."""
    calls = iter(range(1, 1000))

    def tick(steps: int) -> None:
        if next(calls) == at:
            raise Interrupted

    return tick


# What is left


def test_the_files(whole):
    assert set(contents(whole)) == {
        *(f"epoch{epoch}.safetensors" for epoch in EPOCHS),
        "correct.safetensors",
        "margins.safetensors",
        "losses.safetensors",
        "seen.safetensors",
        "history.csv",
    }
    assert not whole.with_name("seed3.running").exists()


def test_epoch_0_is_the_network_as_it_was_initialised(whole):
    tensors = load_tensors(whole / "epoch0.safetensors")
    network = initialise(NETWORK, CLASSES, (2, 6, 6), seed=3)
    for name, parameter in network.named_parameters():
        np.testing.assert_array_equal(tensors[f"network.{name}"], parameter.detach())


@pytest.mark.parametrize("epoch", EPOCHS)
def test_the_kept_network_gives_the_kept_outputs(whole, epoch):
    tensors = load_tensors(whole / f"epoch{epoch}.safetensors")
    network = kept_network(tensors)
    outputs = log_probabilities(network, on_device(pictures()))
    np.testing.assert_allclose(tensors["log_probabilities"], outputs, atol=1e-5)
    assert outputs.shape == (43, CLASSES)
    on_validation = log_probabilities(network, on_device(pictures(7, seed=1)))
    np.testing.assert_allclose(tensors["validation.log_probabilities"], on_validation, atol=1e-5)
    np.testing.assert_allclose(np.exp(outputs).sum(axis=1), 1, rtol=1e-5)


def test_correctness_is_that_of_the_visits(whole):
    correct = load_tensors(whole / "correct.safetensors")["correct"]
    assert correct.shape == (5, 43)
    assert correct.dtype == np.uint8
    visited = correct != loop.NOT_VISITED
    assert (visited.sum(axis=1) == 40).all()
    history = load_table(whole / "history.csv")
    accuracies = [row[seen].mean() for row, seen in zip(correct, visited, strict=True)]
    np.testing.assert_allclose(history["train_accuracy"], accuracies)


def test_margins_are_those_of_the_visits(whole):
    """An image is right if the margin of its label's logit is above 0."""
    correct = load_tensors(whole / "correct.safetensors")["correct"]
    margins = load_tensors(whole / "margins.safetensors")["margins"]
    assert margins.dtype == np.float16
    np.testing.assert_array_equal(np.isnan(margins), correct == loop.NOT_VISITED)
    np.testing.assert_array_equal(margins > 0, correct == 1)


def test_losses_are_those_of_the_visits(whole):
    """Their mean over the visits of an epoch is the one in the history."""
    losses = load_tensors(whole / "losses.safetensors")["losses"]
    assert losses.dtype == np.float16
    history = load_table(whole / "history.csv")
    np.testing.assert_allclose(np.nanmean(losses.astype(float), axis=1), history["train_loss"], rtol=2e-3)


def test_the_history_has_validation(whole):
    history = load_table(whole / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert set(history["seed"]) == {3}
    validation = pictures(7, seed=1)
    for epoch in (1, 3, 5):
        network = kept_network(load_tensors(whole / f"epoch{epoch}.safetensors"))
        outputs = log_probabilities(network, on_device(validation))
        row = history[history["epoch"] == epoch].iloc[0]
        assert row["validation_loss"] == pytest.approx(mean_loss(outputs, validation.labels), rel=1e-4)
        assert row["validation_accuracy"] == pytest.approx(accuracy(outputs, validation.labels))


def test_only_epoch_0_needs_no_training(tmp_path):
    folder = early(tmp_path / "seed3", epochs=[0])
    assert {"correct.safetensors", "margins.safetensors", "losses.safetensors", "seen.safetensors", "history.csv"} == (
        set(contents(folder)) - {"epoch0.safetensors"}
    )
    assert load_tensors(folder / "correct.safetensors")["correct"].shape == (0, 43)
    assert load_tensors(folder / "margins.safetensors")["margins"].shape == (0, 43)
    assert load_tensors(folder / "losses.safetensors")["losses"].shape == (0, 43)


def test_no_validation_images(tmp_path):
    images = on_device(pictures())
    task = Task(images, TRAINING, early_schedule(TRAINING, len(images), [1]), fresh(NETWORK, images, CLASSES))
    keep = keep_epochs(images, on_device(pictures(0)), [1])
    fit(task, [3], tmp_path, lambda steps: None, keep_visits(len(images)), keep)
    assert load_table(tmp_path / "seed3" / "history.csv")["validation_loss"].isna().all()


def test_fewer_epochs_are_the_start_of_more(whole, tmp_path):
    """Which epochs are scored does not change the training."""
    short = contents(early(tmp_path / "seed3", epochs=[1, 2]))
    assert short["epoch1.safetensors"] == contents(whole)["epoch1.safetensors"]
    assert whole.joinpath("history.csv").read_bytes().startswith(short["history.csv"])


def test_ticks_add_up_to_the_steps(tmp_path):
    ticks = []
    early(tmp_path / "seed3", ticks.append)
    assert sum(ticks) == 25


# Parts of the images


@given(st.integers(2, 6), st.integers(1, 3), st.integers(6, 50))
def test_every_round_leaves_out_every_image(folds, rounds, images):
    seeds = list(range(10, 10 + folds * rounds))
    parts = parts_of(seeds, folds, images)
    assert list(parts) == seeds
    assert {len(rows) for rows in parts.values()} == {images - -(-images // folds)}
    for first in range(0, len(seeds), folds):
        out = np.array([~np.isin(np.arange(images), parts[seed]) for seed in seeds[first : first + folds]])
        assert set(out.sum(axis=0)) <= {1, 2}
        assert (out.sum(axis=0) == 1).all() or images % folds


def test_rounds_are_split_anew_by_their_first_seed():
    parts = parts_of([1, 2, 3, 4], 2, 100)
    assert sorted([*parts[1], *parts[2]]) == list(range(100))
    assert not np.array_equal(parts[1], parts[3])
    again = parts_of([3, 4], 2, 100)
    np.testing.assert_array_equal(parts[4], again[4])


@given(st.floats(0.05, 0.95), st.integers(20, 60))
def test_every_seed_draws_its_own_share(share, images):
    parts = shares_of([4, 9], share, images)
    for rows in parts.values():
        assert len(rows) == round(share * images)
        assert (np.diff(rows) > 0).all()
        assert 0 <= rows[0] <= rows[-1] < images
    np.testing.assert_array_equal(shares_of([9], share, images)[9], parts[9])


def test_shares_hold_every_image_equally_often():
    counts = np.bincount(np.concatenate(list(shares_of(range(2000), 0.7, 20).values())), minlength=20)
    assert counts.sum() == 2000 * 14
    assert (np.abs(counts / 2000 - 0.7) < 0.05).all()  # five standard errors


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_a_share_that_is_no_image_or_all(share):
    with pytest.raises(ValueError, match=f"share: {share} is .* of the 20 images; it must be at least one"):
        shares_of([0], share, 20)


def test_a_run_on_a_part_is_that_of_a_smaller_set(tmp_path):
    images, validation = pictures(), on_device(pictures(7, seed=1))
    rows = np.array([*range(3, 30), 40])
    whole, few = on_device(images), on_device(images.take(rows))
    for name, trained_on, parts in (("part", whole, {3: rows}), ("few", few, None)):
        schedule = early_schedule(TRAINING, len(rows), [2])
        task = Task(trained_on, TRAINING, schedule, fresh(NETWORK, trained_on, CLASSES, parts))
        keep = keep_epochs(trained_on, validation, [0, 2])
        fit(task, [3], tmp_path / name, lambda steps: None, keep_visits(len(trained_on)), keep)
    part, few_files = tmp_path / "part" / "seed3", tmp_path / "few" / "seed3"
    assert (part / "history.csv").read_bytes() == (few_files / "history.csv").read_bytes()
    for name, key in (("epoch2", "log_probabilities"), ("seen", "seen")):
        of_part, of_few = (load_tensors(folder / f"{name}.safetensors")[key] for folder in (part, few_files))
        assert len(of_part) == 43  # there are outputs of the images that it has not seen, too
        np.testing.assert_allclose(of_part[rows], of_few, rtol=1e-5)
    assert load_tensors(part / "seen.safetensors")["seen"].sum() == len(rows)
    others = np.delete(np.arange(43), rows)
    for name, not_there in (("correct", loop.NOT_VISITED), ("margins", np.nan), ("losses", np.nan)):
        of_part, of_few = (load_tensors(folder / f"{name}.safetensors")[name] for folder in (part, few_files))
        np.testing.assert_array_equal(of_part[:, rows], of_few)
        np.testing.assert_array_equal(of_part[:, others], np.full((2, len(others)), not_there))


# The same bytes


def test_the_same_seed_gives_the_same_bytes(whole, tmp_path):
    torch.rand(7)  # what else draws from torch's own generator has no part in it
    assert contents(early(tmp_path / "again")) == contents(whole)


def test_another_seed_does_not(whole, tmp_path):
    other = contents(early(tmp_path / "seed4", seed=4))
    assert all(other[name] != content for name, content in contents(whole).items() if name != "seen.safetensors")


@pytest.mark.usefixtures("_saves")
@pytest.mark.parametrize("at", [1, 2, 3, 5])
def test_interrupted_once(whole, tmp_path, at):
    with pytest.raises(Interrupted):
        early(tmp_path / "seed3", interruption(at))
    assert not (tmp_path / "seed3").exists()
    assert contents(early(tmp_path / "seed3")) == contents(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["seed3"]


def test_interrupted_again_and_again(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)
    interruptions = 0
    while not (tmp_path / "seed3").exists():
        try:
            early(tmp_path / "seed3", interruption(3))
        except Interrupted:
            interruptions += 1
    assert interruptions == 4  # each start gets one epoch further: from the saved state, not from the beginning
    assert contents(tmp_path / "seed3") == contents(whole)


@pytest.mark.parametrize("network", [Network(name="lenet_300_100"), Network(name="resnet8", width=2)])
def test_interrupted_with_other_networks(tmp_path, monkeypatch, network):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)
    with pytest.raises(Interrupted):
        early(tmp_path / "cut", interruption(4), network=network)
    interrupted, straight = (early(tmp_path / name, network=network) for name in ("cut", "straight"))
    assert contents(interrupted) == contents(straight)


@pytest.mark.parametrize("written", ["correct.safetensors", "margins.safetensors", "history.csv", "state.safetensors"])
def test_interrupted_while_finishing(whole, tmp_path, monkeypatch, written):
    """After the last epoch, when a file could not be written any more."""
    from winnow.training import early as module

    def full_disk(path, *values) -> None:
        if path.name == written:
            raise Interrupted
        save(path, *values)

    for owner, name in ((module, "save_tensors"), (module, "save_table"), (loop, "save_tensors")):
        save = getattr(owner, name)
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, full_disk)
            try:
                early(tmp_path / name / owner.__name__)
            except Interrupted:
                assert not (tmp_path / name / owner.__name__).exists()
        assert contents(early(tmp_path / name / owner.__name__)) == contents(whole)


@pytest.mark.forks
def test_killed(whole, tmp_path, monkeypatch):
    """By SIGKILL, at moments that nobody chose: what a machine does that runs out of memory or power."""
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", 0)
    fork = multiprocessing.get_context("fork")
    torch.set_num_threads(1)
    kills = 0
    delays = iter(np.random.default_rng().uniform(0, 0.03, size=200))
    while not (tmp_path / "seed3").exists():
        ticks = fork.Semaphore(0)
        child = fork.Process(target=early, args=(tmp_path / "seed3", lambda steps, ticks=ticks: ticks.release()))
        child.start()
        for _ in range(2):  # before the second tick it has saved an epoch, so every start gets further
            while child.is_alive() and not ticks.acquire(timeout=0.01):
                pass
        time.sleep(next(delays))
        child.kill()
        child.join()
        kills += child.exitcode == -signal.SIGKILL
    assert kills > 0
    assert contents(tmp_path / "seed3") == contents(whole)


def test_a_finished_run_is_not_trained_again(tmp_path):
    (tmp_path / "seed3").mkdir()
    early(tmp_path / "seed3")
    assert contents(tmp_path / "seed3") == {}


# Mistakes


def test_a_batch_larger_than_the_images(tmp_path):
    with pytest.raises(ValueError, match="batch_size: 64 is more than the 43 images"):
        early(tmp_path / "seed3", training=TRAINING.model_copy(update={"batch_size": 64}))


def test_epochs_after_the_end(tmp_path):
    training = TRAINING.model_copy(update={"length": "12 steps"})  # 5 steps are an epoch, so it ends in the third
    with pytest.raises(ValueError, match="length: 12 steps ends before epoch 4"):
        early(tmp_path / "seed3", training=training, epochs=[0, 4])
    assert "epoch3.safetensors" in contents(early(tmp_path / "seed3", training=training, epochs=[0, 3]))


def test_a_damaged_state_is_named(tmp_path, user_error):
    with pytest.raises(Interrupted):
        early(tmp_path / "seed3", interruption(3))
    state = tmp_path / "seed3.parent" / "seed3.running" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:100])
    with user_error(state):
        early(tmp_path / "seed3")


def test_the_history_is_kept_to_the_last_digit(whole):
    """Read back, the numbers are those that were recorded: the state of a run and its table agree."""
    history = load_table(whole / "history.csv")
    correct = load_tensors(whole / "correct.safetensors")["correct"]
    assert history["train_accuracy"].tolist() == [row[row != loop.NOT_VISITED].mean() for row in correct]
