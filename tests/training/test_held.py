import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from winnow.training.held import pruned_by, zero


def bits(weight: torch.Tensor) -> torch.Tensor:
    return weight.contiguous().view(torch.uint8)


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64, torch.complex128]
)
@given(seed=st.integers(0, 1000), layout=st.sampled_from([torch.contiguous_format, torch.channels_last]))
def test_the_bits_are_those_of_masked_fill(dtype, seed, layout):
    draws = torch.Generator().manual_seed(seed)
    weight = torch.randn(4, 3, 2, 5, generator=draws, dtype=torch.float64).to(dtype).to(memory_format=layout)
    where = torch.rand(weight.shape, generator=draws) < 0.5
    expected = weight.masked_fill(where, 0)

    zero(weight, where)

    assert torch.equal(bits(weight), bits(expected))  # torch.equal takes -0 for 0


def test_what_is_no_number_becomes_zero_too():
    weight = torch.tensor([torch.nan, torch.inf, -1.0, torch.nan])

    zero(weight, torch.tensor([True, True, True, False]))

    assert weight[:3].view(torch.int32).tolist() == [0, 0, 0]
    assert weight[3].isnan()


def test_a_mask_lies_in_memory_as_its_weight_does():
    weight = torch.nn.Parameter(torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last))
    kept = torch.rand(weight.shape) < 0.5

    pruned = pruned_by(kept, weight)

    assert torch.equal(pruned, ~kept)
    assert pruned.stride() == weight.stride()
