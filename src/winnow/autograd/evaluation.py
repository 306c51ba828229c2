"""Evaluation mode for a block of code."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluation(network: nn.Module) -> Iterator[None]:
    """Set evaluation mode within the block, then restore every layer's own mode: some may have been frozen."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
