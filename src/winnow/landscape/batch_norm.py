"""Recalibration of batch norm's running statistics, for weights that no training has reached."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm  # of one, two or three dimensions

from winnow.autograd.evaluation import evaluation
from winnow.training.batches import Batch, DeviceImages


def recalibrate_on(network: nn.Module, images: DeviceImages, batch_size: int = 500) -> None:
    """``recalibrate`` on all images, without augmentation. The images come in a random order, the same one every time,
    because many data sets are sorted by class."""
    recalibrate(network, images.mixed(batch_size))


@torch.no_grad()
def recalibrate(network: nn.Module, batches: Iterable[Batch]) -> None:
    """Compute the running mean and variance of every batch-norm layer from these batches alone; there must be at least
    one.

    The batches pass once. Batch-norm layers normalise by the batch's own statistics, as in training; other layers, such
    as dropout, are in evaluation mode. The running mean is the average of the batches' means. The running variance is
    the average of their unbiased variances over images and positions. torch does the same with ``momentum=None``.

    Modes and momenta do not change. A network without batch norm costs nothing.
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
