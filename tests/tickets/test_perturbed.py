"""What a training from a perturbed rewind point begins with."""

from pathlib import Path

import pytest
import torch

from tests.pruning.masked import cut_smallest
from tests.training.small import CLASSES, NETWORK
from winnow.landscape.live import distance
from winnow.networks import initialise
from winnow.pruning.masks import Mask, apply, ones
from winnow.storage import save_tensors
from winnow.tickets.files import Ticket, load_ticket, save_ticket
from winnow.tickets.perturbed import begin_perturbed

SHAPE = (2, 6, 6)
REWOUND, TRAINED, OTHER = (initialise(NETWORK, CLASSES, SHAPE, seed).state_dict() for seed in (0, 1, 2))
WHOLE = ones(initialise(NETWORK, CLASSES, SHAPE, 0))
LEVEL = cut_smallest(TRAINED, WHOLE, 0.4)
CHILD = cut_smallest(OTHER, LEVEL, 0.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    about = {"network": NETWORK.model_dump(), "classes": CLASSES, "shape": list(SHAPE), "after_cuts": [{"test": 0.5}]}
    save_ticket(tmp_path / "level", TRAINED, LEVEL, about)
    save_ticket(tmp_path / "child", OTHER, CHILD, about)
    save_tensors(tmp_path / "rewind", {f"network.{name}": tensor for name, tensor in REWOUND.items()}, {"steps": 7})
    return tmp_path


def perturbed(folder: Path, multiple: float, seed: int = 3) -> Ticket:
    begin_perturbed(folder / "level", folder / "child", folder / "rewind", multiple, seed, folder / "begun")
    return load_ticket(folder / "begun")


def projection() -> float:
    """The length of what the child's cut takes from the rewound weights that the level leaves, one by one."""
    taken = [REWOUND[name][LEVEL[name] & ~CHILD[name]].double() for name in LEVEL]
    return float(torch.cat(taken).square().sum().sqrt())


def moved(ticket: Ticket) -> dict[str, torch.Tensor]:
    begin, state = apply(REWOUND, LEVEL), ticket.state_dict()
    return {name: state[name] - tensor for name, tensor in begin.items()}


@pytest.mark.parametrize("multiple", [0.5, 1.0, 4.0])
def test_the_move_is_as_long_as_so_many_projections(folder: Path, multiple: float):
    ticket = perturbed(folder, multiple)
    expected = multiple * projection()
    assert ticket.about["length"] == pytest.approx(expected, rel=1e-9)
    assert distance(apply(REWOUND, LEVEL), ticket.state_dict(), list(LEVEL)) == pytest.approx(expected, rel=1e-5)


def test_only_weights_that_are_left_move(folder: Path):
    ticket = perturbed(folder, 1.0)
    for name, move in moved(ticket).items():
        if name in LEVEL:
            assert not move[~LEVEL[name]].any()
            assert move[LEVEL[name]].all()
        else:  # biases and batch norm
            assert not move.any()
    assert same(ticket.mask, LEVEL)
    assert ticket.about["weights_left"] == sum(int(layer.sum()) for layer in LEVEL.values())
    assert "after_cuts" not in ticket.about  # those of the level are not its own


def test_the_direction_is_that_of_the_seed_whatever_the_length(folder: Path):
    one, same_again, longer, other = (
        torch.cat([move.flatten() for move in moved(perturbed(folder, multiple, seed)).values()])
        for multiple, seed in ((1.0, 3), (1.0, 3), (2.0, 3), (1.0, 4))
    )
    assert torch.equal(one, same_again)
    torch.testing.assert_close(longer, 2 * one, rtol=1e-4, atol=1e-6)
    assert abs(float(torch.cosine_similarity(one, other, dim=0))) < 0.5


def same(a: Mask, b: Mask) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
