"""Batch norm's running statistics for weights that no training run has passed through."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm  # of one, two or three dimensions

from winnow.autograd.evaluation import evaluation
from winnow.training.batches import Batch, DeviceImages


def recalibrate_on(network: nn.Module, images: DeviceImages, batch_size: int = 500) -> None:
    """``recalibrate`` on all of the images, not augmented. Many data sets are sorted by class, so the images come in an
    order drawn at random, the same one every time."""
    recalibrate(network, images.mixed(batch_size))


@torch.no_grad()
def recalibrate(network: nn.Module, batches: Iterable[Batch]) -> None:
    """Compute the running mean and variance of every batch-norm layer from nothing but these batches, at least one.

    The batches pass once. Every batch-norm layer normalises by the batch's own statistics, as in training; all else
    (dropout) is as in evaluation. The running mean is the average over the batches of the batch's mean, the running
    variance that of its unbiased variance over images and positions, as torch keeps them with ``momentum=None``.

    A network without batch norm is left alone, at no cost. Modes and momenta are left as they were.
    """
    layers = [m for m in network.modules() if isinstance(m, BatchNorm) and m.running_mean is not None]
    if not layers:
        return
    momenta = [(layer, layer.momentum) for layer in layers]
    with evaluation(network):
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
            layer.train()
        try:
            for inputs, _ in batches:
                network(inputs)
        finally:
            for layer, momentum in momenta:
                layer.momentum = momentum
