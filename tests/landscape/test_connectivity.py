"""Lines between two tickets."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.landscape.tiny import CLASSES, SHAPE, images
from tests.pruning.masked import cut_smallest
from tests.training.small import on_device, pictures
from winnow.landscape.batch_norm import recalibrate_on
from winnow.landscape.connectivity import line_between
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.masks import ones
from winnow.tickets.files import load_ticket, save_ticket
from winnow.tickets.splits import evaluate
from winnow.training.batches import normalise

NETWORK = Network(name="convnet", width=2)


@pytest.fixture
def tickets(tmp_path: Path) -> tuple[Path, Path]:
    """A dense one and a sparse one, with statistics of batch norm of their own."""
    about = {"network": NETWORK.model_dump(), "classes": CLASSES, "shape": list(SHAPE)}
    for seed, fraction in ((0, 0.0), (1, 0.6)):
        network = initialise(NETWORK, CLASSES, SHAPE, seed)
        network(normalise(images(30, seed=seed).pixels, images()))
        mask = cut_smallest(network.state_dict(), ones(network), fraction)
        save_ticket(tmp_path / f"{seed}", network.state_dict(), mask, about)
    return tmp_path / "0", tmp_path / "1"


def networks(tickets: tuple[Path, Path]) -> list[nn.Module]:
    return [load_ticket(path).network for path in tickets]


SPLITS = {"train": images(40), "test": images(50, seed=7)}


def test_the_ends_are_the_tickets_themselves(tickets: tuple[Path, Path]):
    line = line_between(*networks(tickets), 3, SPLITS, "interpolated").set_index(["alpha", "split"])
    assert len(line) == 6
    for alpha, path in ((0.0, tickets[0]), (1.0, tickets[1])):
        own = evaluate(load_ticket(path).network, SPLITS)
        assert own == {split: tuple(line.loc[(alpha, split), ["error", "loss"]]) for split in SPLITS}


def test_statistics_are_estimated_on_the_training_part(tickets: tuple[Path, Path]):
    line = line_between(*networks(tickets), 3, SPLITS, "recalibrated").set_index(["alpha", "split"])
    network = load_ticket(tickets[0]).network
    recalibrate_on(network, SPLITS["train"])
    own = evaluate(network, SPLITS)
    assert own == {split: tuple(line.loc[(0.0, split), ["error", "loss"]]) for split in SPLITS}
    interpolated = line_between(*networks(tickets), 3, SPLITS, "interpolated")
    assert not np.allclose(interpolated["loss"], line["loss"])


def test_a_line_on_a_subset_is_that_on_a_copy_of_its_images(tickets: tuple[Path, Path]):
    every, rows = pictures(60), np.array([3, 50, 4, 20, 21, 59, 7, 8])
    taken, copied = every.take(rows), every.take(rows)
    copied = type(copied)(copied.pixels[:], copied.labels, copied.ids, copied.positions)
    assert isinstance(copied.pixels, np.ndarray)
    one, other = (line_between(*networks(tickets), 3, {"train": on_device(i)}, "recalibrated") for i in (taken, copied))
    assert one.equals(other)


def test_both_ways_are_the_same_line(tickets: tuple[Path, Path]):
    there = line_between(*networks(tickets), 5, SPLITS, "recalibrated").sort_values(["split", "alpha"])
    back = line_between(*networks(tickets)[::-1], 5, SPLITS, "recalibrated").sort_values(["split", "alpha"])
    assert torch.allclose(
        torch.tensor(there["loss"].to_numpy().reshape(2, 5)),
        torch.tensor(back["loss"].to_numpy().reshape(2, 5)[:, ::-1].copy()),
        rtol=1e-4,
    )
