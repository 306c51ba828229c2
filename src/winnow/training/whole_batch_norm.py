"""Batch norm over a batch that lies in several processes: the statistics are those of the whole batch, as they are in
one process, on every device. (torch's own SyncBatchNorm takes CUDA tensors only.)"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from winnow.autograd.override import BatchNormCall


def whole_batch_norm(*args: Any, **kwargs: Any) -> Tensor:
    """``torch.nn.functional.batch_norm``, called in every process with its part of the batch, which may be of another
    size in each."""
    call = BatchNormCall(*args, **kwargs)
    if not call.training:
        return functional.batch_norm(*call)
    mean, variance, total = whole_moments(call.input.detach())
    if call.running_mean is not None and call.running_var is not None:
        call.running_mean.lerp_(mean.to(call.running_mean.dtype), call.momentum)
        unbiased = variance * (total / (total - 1).clamp_min(1))
        call.running_var.lerp_(unbiased.to(call.running_var.dtype), call.momentum)
    normalised: Tensor = _Normalise.apply(call.input, mean, (variance + call.eps).rsqrt(), total)
    if call.weight is not None:
        normalised = normalised * _along_channels(call.weight, normalised)
    if call.bias is not None:
        normalised = normalised + _along_channels(call.bias, normalised)
    return normalised.to(call.input.dtype)


@torch.no_grad()
def whole_moments(inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and biased variance [c] by the channels of the inputs [b, c, ...] of all processes, and how many values a
    channel has [], in float64.

    Every process has its own moments first, and these are put together (Chan et al. 1983, "Algorithms for computing the
    sample variance", eq. 2.1), because a difference of sums of squares would lose digits.
    """
    variance, mean = torch.var_mean(_exact(inputs), _others(inputs), correction=0)
    count = mean.new_tensor([inputs.numel() // inputs.shape[1]], dtype=torch.float64)
    own = torch.cat([mean.double(), variance.double(), count])
    every = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(every, own)
    parts = torch.stack(every)
    counts, total = parts[:, -1:], parts[:, -1].sum()
    means, variances = parts[:, :-1].chunk(2, dim=1)
    whole = (counts * means).sum(0) / total
    return whole, (counts * (variances + (means - whole).square())).sum(0) / total, total


class _Normalise(torch.autograd.Function):
    """(inputs - mean) * rstd, where mean and rstd come from the inputs of all processes."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, mean: Tensor, rstd: Tensor, total: Tensor) -> Tensor:
        exact = _exact(inputs)
        rstd = rstd.to(exact.dtype)
        normalised = (exact - _along_channels(mean.to(exact.dtype), exact)) * _along_channels(rstd, exact)
        ctx.save_for_backward(normalised, rstd, total)
        ctx.dtype = inputs.dtype
        return normalised

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        normalised, rstd, total = ctx.saved_tensors
        others = _others(normalised)
        sums = torch.stack([gradient.sum(others), (gradient * normalised).sum(others)]).double()
        dist.all_reduce(sums)  # each process's loss depends on the inputs of all
        mean, along = (sums / total).to(gradient.dtype)
        found = gradient - _along_channels(mean, gradient) - normalised * _along_channels(along, gradient)
        return (found * _along_channels(rstd, gradient)).to(ctx.dtype), None, None, None


def _exact(inputs: Tensor) -> Tensor:
    """In float32 at least, as torch computes statistics of bfloat16."""
    return inputs.to(torch.promote_types(inputs.dtype, torch.float32))


def _others(inputs: Tensor) -> list[int]:
    """All dimensions but the channels'."""
    return [0, *range(2, inputs.dim())]


def _along_channels(values: Tensor, like: Tensor) -> Tensor:
    return values.view(1, -1, *[1] * (like.dim() - 2))
