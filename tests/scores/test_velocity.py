"""The velocity of every group's kernel, from the files of early training."""

from pathlib import Path

import numpy as np
import pytest
import torch

from winnow.datasets.images import Dataset, Images, load_facts, load_split, save_dataset
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.scores.runs import EarlyRuns
from winnow.scores.velocity import compute
from winnow.storage import save_tensors
from winnow.training.batches import to_device

LENET = Network(name="lenet_300_100")
GROUPS = [np.array([2, 0]), np.array([1, 3])]


@pytest.fixture
def runs(tmp_path: Path) -> EarlyRuns:
    """Two seeds, whose networks at three epochs have nothing to do with each other."""
    generator = np.random.default_rng(0)

    def images(count: int) -> Images:
        pixels = generator.integers(256, size=(count, 1, 3, 3), dtype=np.uint8)
        return Images(pixels, np.arange(count) % 2, np.array([str(i) for i in range(count)]), np.arange(count))

    splits = {"train": images(4), "validation": images(0), "test": images(2)}
    save_dataset(tmp_path / "images", Dataset(splits, ["0", "1"], [0.5], [0.3]), {})
    for seed in (3, 7):
        for epoch in (0, 1, 5):
            state = initialise(LENET, 2, (1, 3, 3), seed=10 * seed + epoch).state_dict()
            tensors = {f"network.{name}": tensor for name, tensor in state.items()}
            save_tensors(tmp_path / "early" / f"seed{seed}" / f"epoch{epoch}.safetensors", tensors)
    return EarlyRuns(tmp_path / "early", np.arange(4) % 2, tmp_path / "images")


def kernel(runs: EarlyRuns, seed: int, epoch: int, rows: np.ndarray) -> np.ndarray:
    """By a backward pass for each logit of each image."""
    network = initialise(LENET, 2, (1, 3, 3), seed=10 * seed + epoch).double()
    images = to_device(load_split(runs.dataset, "train"), load_facts(runs.dataset), torch.device("cpu"))
    inputs = torch.cat([inputs for inputs, _ in images.batches()])[rows].double()
    gradients = []
    for logit in network(inputs).flatten():
        found = torch.autograd.grad(logit, list(network.parameters()), retain_graph=True)
        gradients.append(torch.cat([gradient.flatten() for gradient in found]))
    jacobian = torch.stack(gradients).numpy()
    return jacobian @ jacobian.T


def test_every_step_of_every_group_and_seed_as_by_hand(runs: EarlyRuns, tmp_path: Path) -> None:
    found = compute(runs, GROUPS, None, LENET, tmp_path / "working")
    assert len(found) == 2 * 2 * 2
    for row in found.itertuples():
        a, b = (kernel(runs, row.seed, epoch, GROUPS[row.group]) for epoch in (row.epoch, row.next_epoch))
        cosine = (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)
        assert row.velocity == pytest.approx(1 - cosine, rel=1e-4)
    assert set(zip(found["epoch"], found["next_epoch"], strict=True)) == {(0, 1), (1, 5)}


def test_epochs_that_are_asked_for(runs: EarlyRuns, tmp_path: Path) -> None:
    every = compute(runs, GROUPS, None, LENET, tmp_path / "every")
    one = compute(runs, GROUPS, [1], LENET, tmp_path / "one")
    assert one.to_dict("list") == every[every["epoch"] == 1].to_dict("list")
    none = compute(runs, GROUPS, [], LENET, tmp_path / "none")
    assert none.empty
    assert none.dtypes.to_dict() == one.dtypes.to_dict()


def test_an_interrupted_call_goes_on_from_the_finished_seeds(runs: EarlyRuns, tmp_path: Path) -> None:
    before = compute(runs, GROUPS, None, LENET, tmp_path / "working")
    for epoch in (0, 1, 5):  # of the one that is finished no network is read
        runs.checkpoint(3, epoch).write_bytes(b"")
    (tmp_path / "working" / "seed7.parquet").unlink()
    assert compute(runs, GROUPS, None, LENET, tmp_path / "working").equals(before)
