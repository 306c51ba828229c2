"""N:M sparsity: by hand, against a naive loop, and as a level."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.tickets.test_level import IMAGES, SEED, SPLITS
from tests.training.small import CLASSES
from winnow.networks import initialise
from winnow.params.pruning import Level
from winnow.params.training import Network
from winnow.pruning.masks import ones
from winnow.pruning.structures.n_of_m import n_of_m
from winnow.tickets.files import Ticket, load_ticket, save_ticket
from winnow.tickets.level import Material, begin_level
from winnow.tickets.rules import rule_of


def whole(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.bool)


def dense_ticket(params: Network, folder: Path) -> Ticket:
    """A parent for a level."""
    network = initialise(params, CLASSES, IMAGES.shape, SEED)
    about = {"network": params.model_dump(), "classes": CLASSES, "shape": list(IMAGES.shape), "after_cuts": []}
    save_ticket(folder / "parent.safetensors", network.state_dict(), ones(network), about)
    return load_ticket(folder / "parent.safetensors")


def test_two_of_four_by_hand():
    scores = {"a": torch.tensor([[0.1, 3, 2, 0.5, 1, 1, 1, 1]])}
    assert n_of_m(scores, {"a": whole((1, 8))})["a"].tolist() == [[False, True, True, False, False, False, True, True]]


@given(
    st.data(),
    st.sampled_from([(2, 8), (3, 4, 3, 3), (1, 12, 2)]),
    st.integers(1, 3),
)
def test_groups_run_along_the_inputs_and_keep_exactly_n(data, shape, n):
    scores = data.draw(
        hnp.arrays(np.float32, shape, elements=st.sampled_from([0, 1, 2, 3]) | st.floats(0, 4, width=32))
    )
    found = n_of_m({"a": scores, "stem": np.ones((2, 3))}, {"a": whole(shape), "stem": whole((2, 3))}, n=n, m=4)
    assert found["stem"].all()
    columns = scores.reshape(shape[0], shape[1], -1)
    kept = found["a"].reshape(columns.shape).numpy()
    for out in range(shape[0]):
        for first in range(0, shape[1], 4):
            for place in range(columns.shape[2]):
                group = columns[out, first : first + 4, place].tolist()
                stay = sorted(range(4), key=lambda i: (group[i], i))[-n:]
                assert np.flatnonzero(kept[out, first : first + 4, place]).tolist() == sorted(stay)


def test_what_a_parent_has_pruned_stays_pruned():
    mask = {"a": torch.tensor([[True, False, False, False, False, True, True, True]])}
    found = n_of_m({"a": torch.arange(8.0).flip(0)[None]}, mask)
    assert found["a"].tolist() == [[True, False, False, False, False, True, True, False]]


def test_impossible_groups_are_told():
    with pytest.raises(ValueError, match=r"^n: must be below m \(4\), not 4"):
        n_of_m({"a": torch.ones(1, 4)}, {"a": whole((1, 4))}, n=4)
    with pytest.raises(ValueError, match=r"^m: no layer has a multiple of 4 inputs"):
        n_of_m({"a": torch.ones(1, 3)}, {"a": whole((1, 3))})
    with pytest.raises(ValueError, match="the training diverged"):
        n_of_m({"a": torch.full((1, 4), torch.nan)}, {"a": whole((1, 4))})


def rule(**choices):
    return rule_of("x", Level(**{"parent": "dense", "rewind": "dense", "data": "full", **choices}), 1)


def test_a_level_takes_a_structure_in_place_of_an_amount():
    assert rule(structure="n_of_m", m=8).structure.keywords == {"n": 2, "m": 8}
    assert rule(prune=0.5).structure is None
    for choices, words in (
        ({"prune": 0.5}, "pruning.levels.x: structure n_of_m takes no prune; leave it out"),
        ({"allocation": "erk"}, "pruning.levels.x.allocation: structure n_of_m takes none; leave it out"),
        ({"rounds": 3}, "pruning.levels.x.rounds: structure n_of_m takes none; leave it out"),
        ({"when": "rigl"}, "pruning.levels.x.when: structure n_of_m takes none; leave it out"),
        ({"criterion": "none"}, "pruning.levels.x.criterion: structure n_of_m needs one, such as magnitude"),
    ):
        with pytest.raises(ValueError, match=f"^{words}"):
            rule(structure="n_of_m", **choices)


def test_a_level_of_two_of_four_from_a_trained_parent(tmp_path: Path):
    parent = dense_ticket(Network(name="convnet", width=4), tmp_path)
    two_of_four = rule(structure="n_of_m", weights="trained")
    state, mask, facts = begin_level(two_of_four, parent, {}, SEED, Material(IMAGES, SPLITS))
    grouped = {name: kept for name, kept in mask.items() if kept.shape[1] % 4 == 0}
    assert grouped
    assert all(kept.all() for name, kept in mask.items() if name not in grouped)
    for name, kept in grouped.items():
        assert (kept.unflatten(1, (-1, 4)).sum(2) == 2).all()
        gone = state[name].abs().unflatten(1, (-1, 4)).masked_fill(kept.unflatten(1, (-1, 4)), 0).amax(2)
        assert (gone <= state[name].abs().unflatten(1, (-1, 4)).amax(2)).all()
    assert facts["after_cuts"][0].keys() == SPLITS.keys()
    assert facts["after_cuts"][1] == {}  # the structure allows no second cut
