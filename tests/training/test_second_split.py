"""Training on one half of the images and then on the other."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.training.small import CLASSES, NETWORK, TRAINING, contents, initialised, interrupted, on_device, pictures
from winnow.storage import load_table, load_tensors
from winnow.training.evaluate import log_probabilities
from winnow.training.loop import Beginning, start, train_epoch
from winnow.training.schedule import make_schedule
from winnow.training.second_split import halves_of, train_on_halves

SHORT = TRAINING.model_copy(update={"length": "3 epochs", "decay_at": ["2 epochs"]})


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    monkeypatch.setenv("WINNOW_WORKERS", "1")


def trained(folder, seeds=(3, 5)):
    return train_on_halves(on_device(pictures()), NETWORK, SHORT, CLASSES, list(seeds), folder, "test")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("WINNOW_WORKERS", "1")
        return trained(tmp_path_factory.mktemp("whole"))


@given(st.integers(2, 50))
def test_the_halves_have_every_image_once(images):
    first, second = halves_of([4, 9], images)
    for seed in (4, 9):
        assert sorted([*first[seed], *second[seed]]) == list(range(images))
        assert len(second[seed]) - len(first[seed]) == images % 2
    np.testing.assert_array_equal(halves_of([9], images)[0][9], first[9])


def test_the_files(whole):
    names = {f"{order}/seed{seed}/{name}" for order in ("ab", "ba") for seed in (3, 5)
             for name in ("right.safetensors", "history.csv")}  # fmt: skip
    assert set(contents(whole)) == names
    for seed, a, b in zip((3, 5), *(halves.values() for halves in halves_of([3, 5], 43)), strict=True):
        for order, first in (("ab", a), ("ba", b)):
            kept = load_tensors(whole / order / f"seed{seed}" / "right.safetensors")
            np.testing.assert_array_equal(kept["rows"], first)  # what is forgotten is of the first half
            assert kept["right"].shape == (3, len(first))
            assert load_table(whole / order / f"seed{seed}" / "history.csv")["epoch"].tolist() == [1, 2, 3]


def test_against_two_trainings_one_after_the_other(whole, tmp_path):
    """Each half as a set of its own: the second training has the weights of the first, and nothing else of it."""
    a, b = (halves[3] for halves in halves_of([3], 43))
    network = initialised(3)
    right = []
    for number, rows in enumerate((a, b)):
        images = on_device(pictures().take(rows))
        schedule = make_schedule(SHORT, len(rows))
        run = start(Beginning(network, 3), tmp_path / str(number))
        for _ in range(3):
            train_epoch([run], images, SHORT, schedule)
            if number == 1:
                outputs = log_probabilities(network, on_device(pictures().take(a)))
                right.append(outputs.argmax(axis=1) == pictures().labels[a])
    np.testing.assert_array_equal(load_tensors(whole / "ab/seed3/right.safetensors")["right"], right)


def test_a_seed_does_not_depend_on_others(whole, tmp_path):
    torch.rand(3)
    alone = contents(trained(tmp_path, [5]))
    assert alone == {name: content for name, content in contents(whole).items() if "seed5" in name}


def test_interrupted_again_and_again(whole, tmp_path, monkeypatch):
    found, interruptions = interrupted(lambda: trained(tmp_path), 4, monkeypatch)
    assert interruptions > 5  # of both phases and orders
    assert contents(found) == contents(whole)


def test_a_half_smaller_than_a_batch(tmp_path):
    with pytest.raises(ValueError, match="batch_size: 8 is more than the 6 images"):
        train_on_halves(on_device(pictures(13)), NETWORK, SHORT, CLASSES, [3], tmp_path, "test")
