"""Networks trained on a subset to the end of the schedule."""

import numpy as np
import pytest
from scipy.special import log_softmax

from tests.training.small import CLASSES, NETWORK, TRAINING, contents, kept_network, named, on_device, pictures
from winnow.storage import load_table, load_tensors, save_tensors
from winnow.training import loop
from winnow.training.evaluate import log_probabilities
from winnow.training.fit import Task, fit, fresh
from winnow.training.retrain import keep_outputs, results
from winnow.training.schedule import make_schedule

SUBSET = pictures().take(np.arange(0, 43, 2))  # 22 images: 2 steps an epoch, where all images have 5
HELD_OUT = {"validation": pictures(7, seed=1), "test": pictures(9, seed=2)}


def run(folder, tick=lambda steps: None, seed=100, images=SUBSET):
    with named(folder, seed) as parent:
        schedule = make_schedule(TRAINING, len(images), images_of_full_epoch=43)
        task = Task(on_device(images), TRAINING, schedule, fresh(NETWORK, on_device(images), CLASSES))
        fit(task, [seed], parent, tick, keep_outputs({name: on_device(part) for name, part in HELD_OUT.items()}))
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("retrain") / "seed100")


def test_the_files(whole):
    assert set(contents(whole)) == {"network.safetensors", "outputs.safetensors", "history.csv"}


def test_a_subset_takes_as_many_steps_as_all_images(whole):
    history = load_table(whole / "history.csv")
    assert len(history) == 13  # 25 steps, 2 in an epoch
    assert load_tensors(whole / "network.safetensors")["1.num_batches_tracked"] == 25


def test_the_kept_network_gives_the_kept_outputs(whole):
    tensors = load_tensors(whole / "network.safetensors")
    network = kept_network({f"network.{name}": tensor for name, tensor in tensors.items()})
    outputs = load_tensors(whole / "outputs.safetensors")
    assert outputs.keys() == HELD_OUT.keys()
    for name, part in HELD_OUT.items():
        np.testing.assert_allclose(outputs[name], log_probabilities(network, on_device(part)), atol=1e-5)


@pytest.mark.parametrize("seconds", [0, 1000])
@pytest.mark.parametrize("at", [1, 2, 5, 13])
def test_interrupted(whole, tmp_path, monkeypatch, seconds, at):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", seconds)
    calls = []

    def tick(steps: int) -> None:
        calls.append(steps)
        if len(calls) == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "seed100", tick)
    assert contents(run(tmp_path / "seed100")) == contents(whole)


def test_which_images_matter(whole, tmp_path):
    other = run(tmp_path / "seed100", images=pictures().take(np.arange(22)))
    assert contents(other)["network.safetensors"] != contents(whole)["network.safetensors"]


def test_results_by_hand(tmp_path):
    labels = {"test": np.array([0, 1, 1])}
    for seed, first in ((5, 0.9), (3, 0.2)):
        outputs = np.log(np.array([[first, 1 - first]] * 3, np.float32))
        save_tensors(tmp_path / f"seed{seed}" / "outputs.safetensors", {"test": outputs})
    table = results(tmp_path, [5, 3], labels)
    assert table["seed"].tolist() == [5, 3]
    assert set(table["split"]) == {"test"}
    np.testing.assert_allclose(table["accuracy"], [1 / 3, 2 / 3])
    np.testing.assert_allclose(
        table["loss"], [-np.log([0.9, 0.1, 0.1]).mean(), -np.log([0.2, 0.8, 0.8]).mean()], rtol=1e-6
    )


def test_results_of_a_run(whole):
    labels = {name: part.labels for name, part in HELD_OUT.items()}
    table = results(whole.parent, [100], labels).set_index("split")
    for name, outputs in load_tensors(whole / "outputs.safetensors").items():
        np.testing.assert_allclose(log_softmax(outputs, axis=1), outputs, atol=1e-6)
        assert table.loc[name, "accuracy"] == (outputs.argmax(axis=1) == labels[name]).mean()
