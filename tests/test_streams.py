from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.streams import Stream, numpy_stream, torch_stream

keys = st.tuples(
    st.integers(0, 2**63 - 1), st.sampled_from(get_args(Stream)), st.lists(st.integers(0, 10**6), max_size=3).map(tuple)
)


def draws(key: tuple) -> list[int]:
    seed, name, index = key
    return numpy_stream(seed, name, *index).integers(2**62, size=4).tolist()


@given(keys)
def test_the_same_key_gives_the_same_draws(key):
    assert draws(key) == draws(key)


@given(keys, keys)
def test_different_keys_give_different_draws(one, other):
    assert (draws(one) == draws(other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, "subset", (23,)), (12, "subset", (3,))),
        ((0, "subset", ()), (0, "subset", (0,))),
        ((0, "subset", (1, 23)), (0, "subset", (12, 3))),
        ((0, "subset", ()), (0, "splits", ())),
    ],
)
def test_keys_that_look_alike_are_different_streams(one, other):
    assert draws(one) != draws(other)


def test_two_streams_are_uncorrelated():
    one, other = (numpy_stream(0, "augmentation", epoch).normal(size=20_000) for epoch in (1, 2))
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(20_000)


def test_numpy_integers_are_taken_as_index():
    assert draws((3, "holdout", (np.int64(4),))) == draws((3, "holdout", (4,)))


def test_the_key_is_the_sha256_of_seed_name_and_index():
    # printf '0/subset' | sha256sum, and printf '7/data_order/3/12' | sha256sum
    whole = 0xB20AD263A50B921530F3E365DC387E8E873085F2BC20591DDBFE5E0619B8EFE9
    assert draws((0, "subset", ())) == np.random.default_rng(whole).integers(2**62, size=4).tolist()
    assert torch_stream(7, "data_order", 3, 12).initial_seed() == 0xF5E181D1


def test_torch_streams_differ_and_repeat():
    import torch

    def numbers(*index: int) -> list[float]:
        return torch.rand(4, generator=torch_stream(5, "initialisation", *index)).tolist()

    assert numbers(1) == numbers(1)
    assert numbers(1) != numbers(2)
    assert torch_stream(5, "initialisation").device.type == "cpu"


def test_an_unknown_stream_is_refused():
    with pytest.raises(ValueError, match="no stream 'shuffle'; there are initialisation, fresh_initialisation"):
        numpy_stream(0, "shuffle")
